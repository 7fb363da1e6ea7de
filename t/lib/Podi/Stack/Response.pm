package Podi::Stack::Response;

# An answer, as a test wants to look at it.

use strict;
use warnings;
use JSON::PP ();


sub new
{
    my ($class, $raw) = @_;

    return bless $raw, $class;
}


sub status { $_[0]{status} }
sub body   { $_[0]{content} // '' }
sub text   { "$_[0]{status} " . substr $_[0]->body, 0, 400 }

# the value of a header; several are joined
sub header
{
    my ($self, $name) = @_;
    my $value = $self->{headers}{lc $name};

    return ref $value ? join ', ', @$value : $value;
}


sub json
{
    my ($self) = @_;

    return $self->{json} //= eval { JSON::PP::decode_json($self->body) }
        // die 'not JSON: ' . $self->text;
}


# the code of a problem; '' when the answer is none
sub code
{
    my ($self) = @_;

    return '' if ($self->header('content-type') // '') !~ m{^application/problem};
    return $self->json->{code};
}


# Set-Cookie as name => value
sub cookies
{
    my ($self) = @_;
    my $set = $self->{headers}{'set-cookie'} // [];

    return { map { /^([^=]+)=([^;]*)/ ? ($1 => $2) : () }
             ref $set ? @$set : $set };
}

1;
