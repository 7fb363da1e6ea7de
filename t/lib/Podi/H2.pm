package Podi::H2;

# An HTTP/2 client that may be rude: it opens streams, sends pieces of bodies,
# resets.  Header fields are sent as literals, without Huffman and without a
# table, which is all that a test needs.
#
#     my $h2 = Podi::H2->new($s);
#     my $id = $h2->open('POST', '/v1/tasks', \%headers, more => 1);
#     $h2->data($id, $piece, more => 1);
#     $h2->reset($id);
#     $h2->settled                    # nginx has read all that was sent
#     $h2->status($id, $seconds)      # of the answer
#     $h2->text($id, qr/hello/, 10)   # what came, once it is like this
#     $h2->take($id, $enough)         # so many bytes, opening the windows
#     $h2->end($id)                   # how it ended: whole, reset or not

use strict;
use warnings;

use IO::Select;
use IO::Socket::SSL;
use Time::HiRes qw( time );

my %FRAME = (data => 0, headers => 1, reset => 3, settings => 4, ping => 6,
             goaway => 7, window => 8);
my $CANCEL = 8;
my %INDEXED = (0x88 => 200, 0x89 => 204, 0x8a => 206, 0x8b => 304,
               0x8c => 400, 0x8d => 404, 0x8e => 500);


sub new
{
    my ($class, $s) = @_;
    my $self = bless { next => 1, buf => '', status => {}, text => {},
                       ended => {}, pongs => 0, pings => 0 }, $class;

    $self->{sock} = IO::Socket::SSL->new(
        PeerAddr => '127.0.0.1', PeerPort => $s->{tls_port}, Timeout => 10,
        SSL_ca_file => $s->ca, SSL_hostname => 'localhost',
        SSL_verifycn_name => 'localhost', SSL_alpn_protocols => ['h2'])
        // die "h2: $IO::Socket::SSL::SSL_ERROR";
    die 'nginx does not speak HTTP/2' if $self->{sock}->alpn_selected ne 'h2';

    $self->_write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                  . _frame('settings', 0, 0, ''));
    return $self;
}


sub _frame
{
    my ($type, $flags, $stream, $payload) = @_;

    return substr(pack('N', length $payload), 1)
        . pack('CCN', $FRAME{$type}, $flags, $stream) . $payload;
}


sub _write
{
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';
    return $self->{sock}->syswrite($bytes);
}


# a string with its length, an integer of a 7-bit prefix
sub _string
{
    my ($text) = @_;
    my $n = length $text;

    return chr($n) . $text if $n < 127;

    my $head = chr 127;
    for ($n -= 127; $n >= 128; $n >>= 7) {
        $head .= chr($n % 128 + 128);
    }

    return $head . chr($n) . $text;
}


# a request; more => 1: a body follows
sub open
{
    my ($self, $method, $target, $headers, %arg) = @_;
    my $id = $self->{next};
    my @fields = (':method', $method, ':scheme', 'https', ':path', $target,
                  ':authority', $arg{authority} // 'localhost',
                  map { lc $_ => $headers->{$_} } sort keys %$headers);
    my $block = '';

    while (my ($name, $value) = splice @fields, 0, 2) {
        $block .= "\0" . _string($name) . _string($value);
    }

    $self->{next} += 2;
    $self->_write(_frame('headers', $arg{more} ? 4 : 5, $id, $block));
    return $id;
}


sub data
{
    my ($self, $id, $bytes, %arg) = @_;

    return $self->_write(_frame('data', $arg{more} ? 0 : 1, $id, $bytes));
}


sub reset
{
    my ($self, $id) = @_;

    return $self->_write(_frame('reset', 0, $id, pack 'N', $CANCEL));
}


sub settled
{
    my ($self, $seconds) = @_;

    $self->{pings}++;
    $self->_write(_frame('ping', 0, 0, 'podiping'));
    return $self->_until($seconds // 10,
                         sub { $self->{pongs} == $self->{pings} });
}


sub status
{
    my ($self, $id, $seconds) = @_;

    $self->_until($seconds // 10, sub { $self->{status}{$id} });
    return $self->{status}{$id} // 0;
}


sub text
{
    my ($self, $id, $like, $seconds) = @_;

    $self->_until($seconds // 10,
                  sub { ($self->{text}{$id} // '') =~ $like });
    return $self->{text}{$id} // '';
}


# reads as long as bytes come, until enough of them or the end is there; once
# for each stream, because the windows are opened by all that had come
sub take
{
    my ($self, $id, $enough) = @_;
    my $text = \($self->{text}{$id} //= '');
    my $told = 0;

    while (length $$text < $enough && !$self->{ended}{$id}) {
        $self->_window($_, length($$text) - $told) for 0, $id;
        $told = length $$text;
        $self->_until(20, sub { length $$text > $told + 16_384
                                || $self->{ended}{$id} }) or last;
    }

    return $$text;
}


sub end { return $_[0]{ended}{ $_[1] } // '' }


sub _window
{
    my ($self, $id, $more) = @_;

    return $more && $self->_write(_frame('window', 0, $id, pack 'N', $more));
}


sub _until
{
    my ($self, $seconds, $code) = @_;
    my $end = time + $seconds;
    my $sock = $self->{sock};

    until ($code->()) {
        my $left = $end - time;

        return 0 if $self->{gone} || $left <= 0;
        if (!$sock->pending) {
            IO::Select->new($sock)->can_read($left) or next;
        }
        my $n = $sock->sysread($self->{buf}, 65536, length $self->{buf});
        $self->{gone} = 1 if defined $n && $n == 0;
        $self->_frames;
    }

    return 1;
}


sub _frames
{
    my ($self) = @_;

    while (length $self->{buf} >= 9) {
        my ($high, $low, $type, $flags, $id) = unpack 'CnCCN', $self->{buf};
        my $size = $high * 65536 + $low;

        return if length $self->{buf} < 9 + $size;
        my $payload = substr $self->{buf}, 9, $size;
        substr $self->{buf}, 0, 9 + $size, '';
        $self->_seen($type, $flags, $id, $payload);
    }
}


sub _seen
{
    my ($self, $type, $flags, $id, $payload) = @_;

    if ($type == $FRAME{headers}) {
        $self->{status}{$id} //= _status($payload);

    } elsif ($type == $FRAME{data}) {
        $self->{text}{$id} .= $payload;
        $self->{ended}{$id} = 'whole' if $flags & 1;

    } elsif ($type == $FRAME{reset}) {
        $self->{ended}{$id} = 'reset';

    } elsif ($type == $FRAME{settings} && !($flags & 1)) {
        $self->_write(_frame('settings', 1, 0, ''));

    } elsif ($type == $FRAME{ping} && $flags & 1) {
        $self->{pongs}++;

    } elsif ($type == $FRAME{goaway}) {
        $self->{gone} = 1;
    }
}


# nginx says the status first: an index, or a literal under the index 8
sub _status
{
    my ($block) = @_;

    $block =~ s/\A[\x20-\x3f]//;
    return $INDEXED{ ord $block } // ($block =~ /\A[\x08\x48]\x03(\d{3})/)[0]
           // 0;
}


sub close
{
    my ($self) = @_;

    return CORE::close $self->{sock};
}


1;
