package Podi::Comfy::Ask;

# Prompts without models for a ComfyUI, and what becomes of them.
#
#     ask_of($client, $seconds);
#     my $prompt = save('podi/in.png', 'podi/out', [ImageInvert => {}]);
#     my ($id, $answer) = submit($prompt, client_id => ...);
#     my $entry = finished($id);          # of the history, or {}: too late
#     my $entry = outcome($prompt);       # both; {} when it does not get there
#     my $data = message($entry, 'execution_error');
#     my $answer = view({ filename => ..., subfolder => ..., type => ... });
#     submitted()                         # the ids of all of them

use strict;
use warnings;
use Exporter 'import';
use Time::HiRes qw( sleep time );

our @EXPORT_OK = qw( ask_of uuid view chain save submit submitted finished
                     outcome message escaped );

my ($server, $timeout, %mine);


sub ask_of
{
    ($server, $timeout) = @_;
}


sub uuid
{
    return sprintf '%08x-%04x-4%03x-8%03x-%06x%06x', rand 2 ** 32, rand 65536,
        rand 4096, rand 4096, rand 2 ** 24, rand 2 ** 24;
}


sub escaped
{
    my ($text) = @_;

    return $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger;
}


sub view
{
    my ($file, %headers) = @_;
    my $query = join '&', map { "$_=" . escaped($file->{$_}) } sort keys %$file;

    return $server->get("/view?$query", %headers);
}


# a prompt with the nodes one after another: [class, { inputs }] ...
sub chain
{
    my @step = @_;
    my ($id, %prompt) = (0);

    for my $step (@step) {
        my ($class, $input) = @$step;
        my $link = $class =~ /^(?:Save|Preview)Image$/ ? 'images' : 'image';

        $prompt{$id + 1} = { class_type => $class, inputs => {
            $id ? ($link => ["$id", 0]) : (), %$input } };
        $id++;
    }

    return \%prompt;
}


sub save
{
    my ($image, $prefix, @between) = @_;

    return chain([LoadImage => { image => $image }], @between,
                 [SaveImage => { filename_prefix => $prefix }]);
}


sub submit
{
    my ($prompt, %more) = @_;
    my $id = $more{prompt_id} // uuid();

    $mine{$id} = 1;
    my $r = $server->post('/prompt',
        { prompt => $prompt, prompt_id => $id, %more });

    # old ones have an id of their own
    $mine{ $r->{json}{prompt_id} } = 1
        if ref $r->{json} eq 'HASH' && defined $r->{json}{prompt_id};
    return ($id, $r);
}


# its entry in the history, once it is there
sub finished
{
    my ($id) = @_;
    my $end = time + $timeout;
    my $pause = 0.02;

    while (time < $end) {
        my $entry = ($server->get('/history/' . escaped($id))->{json} // {})
            ->{$id};

        return $entry if $entry;
        sleep $pause;
        $pause *= 1.5 if $pause < 1;
    }
    return {};
}


sub outcome
{
    my ($prompt, %more) = @_;
    my ($id, $answer) = submit($prompt, %more);

    return $answer->{status} == 200 ? finished($id) : {};
}


sub message
{
    my ($entry, $type) = @_;
    my ($found) = grep { $_->[0] eq $type } @{ $entry->{status}{messages} };

    return $found ? $found->[1] : undef;
}


sub submitted
{
    return sort keys %mine;
}

1;
