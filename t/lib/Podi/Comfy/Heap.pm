package Podi::Comfy::Heap;

# A binary heap in an array, laid out as Python's heapq does: what /queue lists
# as pending is this array, which is not the order in which it will run.
#
#     push_item(\@heap, $item); my $item = pop_item(\@heap); heapify(\@heap);
#
# An item is [number, id, ...]; the smaller number, then id, goes first.

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw( push_item pop_item heapify );


sub _before
{
    my ($a, $b) = @_;

    return $a->[0] == $b->[0] ? $a->[1] lt $b->[1] : $a->[0] < $b->[0];
}


sub _rise
{
    my ($heap, $start, $at) = @_;
    my $item = $heap->[$at];

    while ($at > $start) {
        my $parent = ($at - 1) >> 1;

        last if !_before($item, $heap->[$parent]);
        $heap->[$at] = $heap->[$parent];
        $at = $parent;
    }
    $heap->[$at] = $item;
}


# to the bottom along the smaller children, then up again
sub _sink
{
    my ($heap, $at) = @_;
    my ($start, $item, $child) = ($at, $heap->[$at], 2 * $at + 1);

    while ($child < @$heap) {
        $child++ if $child + 1 < @$heap
            && !_before($heap->[$child], $heap->[$child + 1]);
        $heap->[$at] = $heap->[$child];
        ($at, $child) = ($child, 2 * $child + 1);
    }
    $heap->[$at] = $item;
    _rise($heap, $start, $at);
}


sub push_item
{
    my ($heap, $item) = @_;

    push @$heap, $item;
    _rise($heap, 0, $#$heap);
}


sub pop_item
{
    my ($heap) = @_;
    my $last = pop @$heap;

    return $last if !@$heap;
    my $first = $heap->[0];

    $heap->[0] = $last;
    _sink($heap, 0);
    return $first;
}


sub heapify
{
    my ($heap) = @_;

    _sink($heap, $_) for reverse 0 .. int(@$heap / 2) - 1;
}

1;
