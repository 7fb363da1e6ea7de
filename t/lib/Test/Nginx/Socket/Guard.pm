package Test::Nginx::Socket::Guard;

# What is watched in every block, without a test point while all is well:
#
#   - no alert, crit, emerg or error line that the block did not ask for
#   - no failed assertion, no sanitizer report
#   - no connection of a client left open, no temporary file left
#   - every JSON answer under /v1 as docs/openapi.yaml says

use strict;
use warnings;
use Exporter 'import';
use File::Find ();
use Podi::Proc qw( clients_of open_files poll );
use Test::More ();
use Test::Nginx::Socket::Server qw( pids );
use Test::Nginx::Socket::Set qw( %Set );

our @EXPORT_OK = qw( settle judge_lines judge_answer judge_rest complain );

my $SANITIZER = qr/(?:ERROR|SUMMARY): \w+Sanitizer|: runtime error: /;


# a failing test point outside the plan: the file fails whatever the plan says
sub complain
{
    my ($name, $what, @lines) = @_;

    Test::More::fail("$name - $what");
    Test::More::diag(map { my $line = $_; chomp $line; "    $line\n" } @lines);
}


sub judge_lines
{
    my ($name, $lines) = @_;
    my @bad = grep { /\[(?:error|crit|alert|emerg)\]|\bAssertion .*?failed\b/
                     || $_ =~ $SANITIZER } @$lines;

    complain($name, 'unexpected lines in error.log', @bad) if @bad;
}


# waits until nginx has closed what this client has closed; false: it did not
sub settle
{
    return poll(5, sub { !clients_of([ pids() ], $Set{port}) });
}


sub _reports
{
    my @bad;

    for my $file (glob "$Set{root}/logs/*") {
        next if $file =~ m{/(?:access|error)\.log$};
        open my $fh, '<', $file or next;
        push @bad, grep { $_ =~ $SANITIZER } <$fh>;
    }

    return @bad;
}


sub _temp_files
{
    my @dirs = grep { -d } glob "$Set{root}/*_temp";
    my @files;

    return () if !@dirs;
    File::Find::find(sub { push @files, $File::Find::name if -f }, @dirs);
    return @files;
}


sub _deleted
{
    return map { grep { / \(deleted\)$/ && m{^\Q$Set{root}\E/} }
                 @{ (open_files($_))[1] } } pids();
}


# at the end of a block; asked again at the end of the file
sub judge_rest
{
    my ($name) = @_;
    my (@left, @reports);

    complain($name, 'nginx has died', Test::Nginx::Socket::Server::log_tail())
        if !Test::Nginx::Socket::Server::alive();

    complain($name, 'client connections left open') if !settle();

    poll(5, sub { @left = (_temp_files(), _deleted()); !@left });
    complain($name, 'temporary files left', @left) if @left;

    @reports = _reports();
    complain($name, 'sanitizer reports', @reports) if @reports;
}


my $openapi;

sub judge_answer
{
    my ($name, $method, $target, $res) = @_;
    my $type = $res->header('Content-Type') // '';

    return if $target !~ m{^/v1/} || $type !~ m{^application/(?:\w+\+)?json\b};
    return if !$res->code || $method eq 'HEAD' || $res->broken;

    require Podi::OpenAPI;
    $openapi //= Podi::OpenAPI->shared or return;

    my @errors = $openapi->check(method => $method, target => $target,
                                 status => $res->code, type => $type,
                                 body => $res->content);
    complain($name, 'the answer is not what openapi.yaml says', @errors)
        if @errors;
}

1;
