package Podi::Comfy::Sockets;

# The WebSockets of the fake by clientId, with the real one's fault: whoever
# comes with a taken id takes the stream over; when the older socket of that id
# closes, the newer one hears nothing more, broadcasts included.
#
#     open($c, $id) gone($c) status(N) send(client | undef for all, type, data)

use strict;
use warnings;
use MIME::Base64 qw( decode_base64 );

use Podi::Comfy::Json qw( encode );
use Podi::Comfy::Png qw( solid write_png );
use Podi::Comfy::Ws qw( frame TEXT BINARY CLOSE PING );


# switch, features, jpeg (the lines of a small one)
sub new
{
    my ($class, %option) = @_;

    return bless { %option, by => {}, flags => {}, all => {},
                   jpeg => decode_base64(join '', @{ $option{jpeg} }) }, $class;
}


sub open
{
    my ($self, $c, $id) = @_;

    $c->{sid} = $id;
    $self->{all}{$c} = $c;
    $self->{by}{$id} = $c;
    delete $self->{flags}{$id};
}


sub gone
{
    my ($self, $c) = @_;

    delete $self->{all}{$c};
    delete $self->{by}{ $c->{sid} };
    delete $self->{flags}{ $c->{sid} };
}


sub _targets
{
    my ($self, $client) = @_;

    return if $self->{switch}{ws} eq 'mute';
    return values %{ $self->{by} } if !defined $client;
    return $self->{by}{$client} // ();
}


sub send
{
    my ($self, $client, $type, $data) = @_;
    my $bytes = $self->_frames(encode({ type => $type, data => $data }));

    $_->send($bytes) for $self->_targets($client);
}


sub _frames
{
    my ($self, $text) = @_;

    return frame(TEXT, $text) if !$self->{switch}{fragment};
    my $half = int(length($text) / 2);

    return frame(TEXT, substr($text, 0, $half), fin => 0)
        . frame(0, substr $text, $half);
}


sub status
{
    my ($self, $n) = @_;

    $self->send(undef, 'status',
                { status => { exec_info => { queue_remaining => $n } } });
}


# the first frame says the id
sub hello
{
    my ($self, $c, $n, $node) = @_;

    return if $self->{switch}{ws} eq 'mute';
    $c->send(frame(TEXT, encode({ type => 'status', data => { sid => $c->{sid},
        status => { exec_info => { queue_remaining => $n } } } })));
    $c->send(frame(TEXT, encode({ type => 'executing',
                                  data => { node => $node } })))
        if defined $node;
}


sub flags
{
    my ($self, $c, $data) = @_;

    $self->{flags}{ $c->{sid} } = $data;
    $c->send(frame(TEXT, encode({ type => 'feature_flags',
                                  data => $self->{features} })))
        if $self->{switch}{ws} ne 'mute';
}


sub metadata
{
    my ($self, $client) = @_;

    return defined $client
        && $self->{flags}{$client}{supports_preview_metadata};
}


# binary frames: 1 a picture, 3 a text, 4 a picture with what it belongs to
sub _binary
{
    my ($self, $client, $type, $bytes) = @_;

    $_->send(frame(BINARY, pack('N', $type) . $bytes))
        for $self->_targets($client);
}


sub text
{
    my ($self, $client, $id, $text) = @_;

    utf8::encode($text);
    $self->_binary($client, 3, pack('N/a*', $id) . $text);
}


sub preview
{
    my ($self, $job, $id, $png) = @_;
    my $picture = $self->_picture($png);
    my $bare = $self->{switch}{preview} eq 'bare';

    return $self->_binary($job->{client}, 1, pack('N', $png ? 2 : 1) . $picture)
        if $bare || !$self->metadata($job->{client});
    $self->_binary($job->{client}, 4, pack('N/a*', encode({
        node_id => $id, prompt_id => $job->{id}, display_node_id => $id,
        parent_node_id => undef, real_node_id => $id,
        image_type => $png ? 'image/png' : 'image/jpeg' })) . $picture);
}


# large: a whole JPEG, with a comment of 64 KB in it for each segment
sub _picture
{
    my ($self, $png) = @_;
    my $how = $self->{switch}{preview};
    my $picture = $png ? write_png(solid(16, 16, 40, 80, 120)) : $self->{jpeg};

    return '<html><script>alert(1)</script></html>' if $how eq 'html';
    return substr $picture, 0, -2 if $how eq 'cut';
    substr($picture, 2, 0) = ("\xff\xfe\xff\xff" . 'x' x 65_533) x 3
        if $how eq 'large';
    return $picture;
}


sub huge
{
    my ($self, $bytes) = @_;

    $self->_binary(undef, 1, pack('N', 1) . "\xff\xd8\xff" . "\0" x $bytes);
}


# of a prompt that was sent without a clientId
sub stray
{
    my ($self) = @_;

    $self->_binary(undef, 1, pack('N', 1) . $self->{jpeg});
}


sub ping
{
    my ($self) = @_;

    $_->send(frame(PING, 'podi')) for values %{ $self->{all} };
}


# every socket ends without a closing frame
sub drop_all
{
    my ($self) = @_;

    $_->drop for values %{ $self->{all} };
}

1;
