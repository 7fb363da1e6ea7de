# One table of errors, one of events: each row is used, tested and documented,
# and nothing is used that has no row.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( files slurp errors events without_comments );

my $sql = join '', map { slurp($_) } files(qr/\.sql$/, 'migrations');
my $c = join '', map { without_comments(slurp($_), 1) }
    files(qr/\.[ch]$/, qw( shared ngx_podi_module workers ));
my $tests = join '', map { slurp($_) }
    grep { !m{^t/00-lint/|^t/lib/Podi/(?:Repo|Gen|OpenAPI)} }
    files(qr/\.(?:t|c|pm)$/, 't');


sub error_faults
{
    my ($rows, $sql, $c, $tests) = @_;
    my %state = map { $_->{sqlstate} ? ($_->{sqlstate} => $_) : () } @$rows;
    my %id = map { $_->{id} => 1 } @$rows;
    my (%seen, @bad);

    push @bad, map { "$_ is in the table twice" }
        grep { $seen{$_}++ } map { $_->{code}, $_->{sqlstate} || () } @$rows;
    push @bad, map { "SQL raises $_, which the table does not know" }
        grep { !$state{$_} && !$seen{"sql$_"}++ }
        $sql =~ /errcode\s*=\s*'(U0\w{3})'/g;
    push @bad, map { "C names PODI_E_$_, which the table does not know" }
        grep { !$id{$_} && $_ ne 'LAST' && !$seen{"c$_"}++ }
        $c =~ /\bPODI_E_([A-Z][A-Z0-9_]*)\b/g;

    for my $row (grep { $_->{id} ne 'NONE' } @$rows) {
        my $raised = $c =~ /\bPODI_E_$row->{id}\b/ || $c =~ /"$row->{code}"/
            || $sql =~ /'$row->{code}'/
            || $row->{sqlstate} && $sql =~ /'$row->{sqlstate}'/;
        my $tested = $tests =~ /\b$row->{code}\b|\bPODI_E_$row->{id}\b/
            || $row->{sqlstate} && $tests =~ /\b$row->{sqlstate}\b/;

        push @bad, "$row->{code} is raised nowhere" if !$raised;
        push @bad, "$row->{code} is tested nowhere" if !$tested;
    }

    return @bad;
}


# a type is written whole, or as 'noun.' || state; an EventSource has events of
# its own, and a page could not tell them apart
sub event_faults
{
    my ($rows, $sql, $c) = @_;
    my %known = map { $_->{type} => 1 } @$rows;
    my @bad;

    for my $row (@$rows) {
        my ($noun) = split /\./, $row->{type};
        my $text = $row->{kind} eq 'FACT' ? $sql : $c;

        push @bad, "$row->{type} is sent nowhere"
            if $text !~ /['"\s]\Q$row->{type}\E\b/
               && $text !~ /'$noun\.' \|\|/;
    }

    push @bad, map { "$_->{type} is an EventSource's own" }
        grep { $_->{type} =~ /^(?:open|message|error)$/ } @$rows;
    push @bad, map { "SQL writes $_, which the table does not know" }
        grep { !$known{$_} } $sql =~ /'type',\s*'([a-z]+\.[a-z]+)'/g;
    return @bad;
}


# what must be seen

my @one = ({ id => 'A', code => 'a_code', sqlstate => 'U0999' });
is join(', ', error_faults(\@one, "errcode = 'U0999'", '', 'U0999')), '',
   'a row that is raised and tested is right';
is join(', ', error_faults(\@one, '', '', '')),
   'a_code is raised nowhere, a_code is tested nowhere',
   'a row of no use is seen';
is join(', ', error_faults([], "errcode = 'U0998'", 'PODI_E_B', '')),
   'SQL raises U0998, which the table does not know, '
   . 'C names PODI_E_B, which the table does not know',
   'errors without a row are seen';
is join(', ', event_faults([ { type => 'x.y', kind => 'FACT' } ],
                           "'type', 'x.z'", '')),
   'x.y is sent nowhere, SQL writes x.z, which the table does not know',
   'events that do not agree are seen';
is join(', ', event_faults([ { type => 'error', kind => 'HINT' } ], '',
                           '"event: error"')),
   "error is an EventSource's own", 'a name that browsers use is seen';

# the tree

is join("\n", error_faults([ errors() ], $sql, $c, $tests)), '',
   'the errors are raised, tested and known';
is join("\n", event_faults([ events() ], $sql, $c)), '',
   'the events are sent and known';

done_testing;
