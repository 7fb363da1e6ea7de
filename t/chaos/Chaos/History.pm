package Chaos::History;

# What somebody did and was told, a line of JSON each, as it happens.
#
#     my $h = Chaos::History->new("$dir/client-ann.jsonl");
#     $h->say(op => 3, phase => 'invoke', f => 'submit', ...);
#     my @lines = Chaos::History::read("$dir/client-ann.jsonl");
#
# phase: invoke; then ok, fail (it did not happen) or unknown (no answer).

use strict;
use warnings;

use JSON::PP ();
use Time::HiRes qw( time );

my $json = JSON::PP->new->utf8->canonical;


sub new
{
    my ($class, $path) = @_;

    open my $out, '>>', $path or die "$path: $!";
    $out->autoflush(1);
    return bless { out => $out }, $class;
}


sub say
{
    my ($self, %line) = @_;

    print { $self->{out} } $json->encode({ t => sprintf('%.3f', time), %line }),
        "\n";
}


# a line that its writer could not finish is no line
sub read
{
    my ($path) = @_;

    open my $in, '<', $path or die "$path: $!";
    return map { $json->decode($_) } grep { /\}\n\z/ } <$in>;
}

1;
