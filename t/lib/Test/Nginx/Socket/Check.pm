package Test::Nginx::Socket::Check;

# What a block says about an answer, as test points: one for the status, one
# for each header named, one for the body.  Their number is that of the genuine
# runner, because suites plan with it.

use strict;
use warnings;
use Exporter 'import';
use Digest::MD5 ();
use Digest::SHA ();
use Test::More ();
use Test::Nginx::Socket::Set qw( %Set bail_out );

our @EXPORT_OK = qw( check_answer );

my %BODY_FILTER = (
    md5_hex  => \&Digest::MD5::md5_hex,
    sha1_hex => \&Digest::SHA::sha1_hex,
    uc       => sub { uc $_[0] },
    lc       => sub { lc $_[0] },
    ucfirst  => sub { ucfirst $_[0] },
    lcfirst  => sub { lcfirst $_[0] },
    length   => sub { length $_[0] },
);


# the value for this request: a suite of many requests gives an array
sub _nth
{
    my ($at, $value) = @_;

    if ($at->{many}) {
        return $value->[ $at->{index} ] if ref $value eq 'ARRAY';
        bail_out("$at->{name} - You asked for many requests, the expected"
                 . ' results should be arrays as well.');
    }

    return ref $value eq 'ARRAY' ? $value->[0] : $value;
}


sub _ports
{
    my ($text) = @_;

    return $text if !defined $text || ref $text;
    return $text =~ s/\$ServerPort(?:ForClient)?\b/$Set{port}/gr;
}


sub _status
{
    my ($block, $at, $res) = @_;
    my $code = $res->code // '';
    my $what = "$at->{name} - status code ok";

    if (defined(my $like = $block->error_code_like)) {
        my $pattern = _nth($at, $like);
        Test::More::like($code, qr/$pattern/sm, $what);
        return;
    }

    my $want = defined $block->error_code ? _nth($at, $block->error_code)
                                          : 200;
    Test::More::is($code, $want, $what);
}


sub _raw_headers
{
    my ($block, $at, $res) = @_;

    if (defined(my $like = $block->raw_response_headers_like)) {
        my $pattern = _nth($at, $like);
        Test::More::like($res->raw_headers, qr/$pattern/s,
                         "$at->{name} - raw resp headers like");
    }

    if (defined(my $unlike = $block->raw_response_headers_unlike)) {
        my $pattern = _nth($at, $unlike);
        Test::More::unlike($res->raw_headers, qr/$pattern/s,
                           "$at->{name} - raw resp headers unlike");
    }
}


# "Name: value" lines; "! Name" must be absent
sub _named
{
    my ($text) = @_;
    my %header;

    for my $line (split /\n/, $text // '') {
        $line =~ s/^\s+|\s+$//g;

        if ($line =~ s/^!\s*//) {
            $header{$line} = undef;

        } else {
            my ($key, $value) = split /\s*:\s*/, $line, 2;
            $header{$key} = $value;
        }
    }

    return \%header;
}


sub _headers
{
    my ($block, $at, $res) = @_;
    my $exact = defined $block->response_headers;
    my $section = $block->response_headers // $block->response_headers_like;

    return if !defined $section;

    my $want = _named(_nth($at, $section));

    for my $key (sort keys %$want) {
        my $got = $res->header($key) // '';

        if (!$exact) {
            Test::More::like($got, qr/^$want->{$key}$/,
                             "$at->{name} - header $key like ok");

        } elsif (!defined $want->{$key}) {
            Test::More::unlike($res->raw_headers, qr/^\s*\Q$key\E\s*:/ms,
                "$at->{name} - header $key not present in the raw headers");

        } else {
            Test::More::is($got, _ports($want->{$key}),
                           "$at->{name} - header $key ok");
        }
    }
}


sub _filtered
{
    my ($block, $at, $body) = @_;
    my $filters = $block->response_body_filters // return $body;

    $filters = [ split ' ', $filters ] if !ref $filters;
    $filters = [ $filters ] if ref $filters ne 'ARRAY';
    $filters = $filters->[ $at->{index} ] if ref $filters->[0] eq 'ARRAY';

    for my $filter (@$filters) {
        my $code = ref $filter ? $filter : $BODY_FILTER{$filter}
            or bail_out("$at->{name} - unknown body filter $filter");
        $body = $code->($body);
    }

    return $body;
}


sub _body
{
    my ($block, $at, $res) = @_;
    my $body = _filtered($block, $at, $res->content);
    my $where = "(repeated req $at->{repeat}, req $at->{index})";

    $res->set_content($body);

    if (defined $block->response_body) {
        my $want = _ports(_nth($at, $block->response_body));

        return Test::More::like($body, $want,
            "$at->{name} - response_body - like $where") if ref $want;
        return Test::More::is($body, $want,
            "$at->{name} - response_body - response is expected $where");
    }

    my ($type, $compare) = defined $block->response_body_like
        ? ('like', \&Test::More::like) : ('unlike', \&Test::More::unlike);
    my $section = $block->response_body_like // $block->response_body_unlike
        // return;
    my $pattern = _ports(_nth($at, $section));

    $compare->($body, qr/$pattern/s, "$at->{name} - response_body_$type - "
               . "response is expected $where");
}


sub check_answer
{
    my ($block, $at, $res) = @_;

    _status($block, $at, $res);
    _raw_headers($block, $at, $res);
    _headers($block, $at, $res);
    _body($block, $at, $res);
    $_->($block, $res->content, $at->{index}, $at->{repeat}, 0)
        for @{ $Set{body} };

    return if !$res->broken;

    if ($res->broken =~ /chunk/) {
        Test::More::fail("$at->{name} - " . $res->broken);

    } else {
        Test::More::diag("WARNING: $at->{name} - " . $res->broken);
    }
}

1;
