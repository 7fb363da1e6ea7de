package Test::Nginx::Socket::Log;

# What a block says about error.log and access.log.
#
# Only lines written since the last look are seen.  A pattern that must come is
# polled for; one that must not is judged when nginx has closed the request's
# connection, because the log phase runs before that.

use strict;
use warnings;
use Exporter 'import';
use Podi::Proc qw( poll );
use Test::More ();
use Test::Nginx::Socket::Guard qw( settle judge_lines );
use Test::Nginx::Socket::Set qw( %Set bail_out );

our @EXPORT_OK = qw( check_logs mark fresh );

my $at = 0;


sub fresh { $at = 0 }

sub mark
{
    $at = -s "$Set{root}/logs/error.log" || 0;
}


sub _lines
{
    my ($file, $from) = @_;

    open my $in, '<:raw', "$Set{root}/logs/$file.log" or return ([], $from);
    seek $in, $from, 0;
    my @lines = <$in>;
    pop @lines if @lines && $lines[-1] !~ /\n\z/;

    my $end = $from;
    $end += length for @lines;
    return (\@lines, $end);
}


sub _patterns
{
    my ($section) = @_;

    return () if !defined $section;
    return grep { defined } @$section if ref $section eq 'ARRAY';
    return $section if ref $section;
    return split /\n+/, $section =~ s/\n+\z//r;
}


sub _matches
{
    my ($line, $pattern) = @_;

    return ref $pattern ? $line =~ /$pattern/ : index($line, $pattern) >= 0;
}


sub _found
{
    my ($lines, $pattern) = @_;

    for my $line (@$lines) {
        return $line if _matches($line, $pattern);
    }

    return;
}


# the new lines, once every pattern came or the time is over
sub _read
{
    my ($want) = @_;
    my ($lines, $end);

    settle();
    poll(@$want ? 2 : 0, sub {
        ($lines, $end) = _lines('error', $Set{accum} ? 0 : $at);
        return !grep { !_found($lines, $_) } @$want;
    });

    $at = $end;
    return $lines;
}


sub _grep
{
    my ($block, $name, $lines, $repeat) = @_;
    my $pattern = $block->grep_error_log;
    my $want = $block->grep_error_log_out;

    return if !defined $pattern && !defined $want;
    bail_out("$name - grep_error_log and grep_error_log_out go together")
        if !defined $pattern || !defined $want;

    $pattern = $pattern->[$repeat] if ref $pattern eq 'ARRAY';
    $want = $want->[$repeat] if ref $want eq 'ARRAY';
    my $re = ref $pattern ? $pattern : qr/\Q$pattern\E/;
    my $got = join '', map { /($re)/ && $1 !~ /\n/ ? "$1\n" : () } @$lines;
    my $what = "$name - grep_error_log_out (req $repeat)";

    ref $want ? Test::More::like($got, $want, $what)
              : Test::More::is($got, $want, $what);
}


sub _come
{
    my ($name, $file, $lines, $repeat, @patterns) = @_;

    for my $pattern (@patterns) {
        Test::More::ok(defined _found($lines, $pattern), "$name - pattern "
            . "\"$pattern\" matches a line in $file.log (req $repeat)");
    }
}


sub _stay_away
{
    my ($name, $file, $lines, $repeat, @patterns) = @_;

    for my $pattern (@patterns) {
        my $line = _found($lines, $pattern);

        Test::More::ok(!defined $line, "$name - pattern \"$pattern\" does not"
                       . " match a line in $file.log (req $repeat)");
        Test::More::diag($line) if defined $line;
    }
}


sub _access
{
    my ($block, $name, $repeat) = @_;
    my @come = _patterns($block->access_log);
    my @away = _patterns($block->no_access_log);
    my $lines;

    return if !@come && !@away;

    poll(2, sub {
        ($lines) = _lines('access', 0);
        return !grep { !_found($lines, $_) } @come;
    });
    _come($name, 'access', $lines, $repeat, @come);
    _stay_away($name, 'access', $lines, $repeat, @away);
}


sub check_logs
{
    my ($block, $name, $repeat, @excused) = @_;
    my @come = _patterns($block->error_log);
    my @away = _patterns($block->no_error_log);
    my @grep = _patterns($block->grep_error_log);
    my $lines = _read(\@come);

    _grep($block, $name, $lines, $repeat);
    _come($name, 'error', $lines, $repeat, @come);
    _stay_away($name, 'error', $lines, $repeat, @away);
    _access($block, $name, $repeat) if !defined $block->ignore_response;

    judge_lines($name, [ grep {
        my $line = $_;
        !grep { _matches($line, $_) } @come, @grep, @excused
    } @$lines ]);
}

1;
