package DemoClient;

# An HTTP client for the demo: curl for each call, one more for the stream.
#
#     call   one request, its JSON answer; dies with the problem's own words
#     listen a stream that stays; events are handed out while anything waits
#
# Whatever is secret (token, presigned URL) reaches curl as a configuration on
# its standard input, never as an argument.

use strict;
use warnings;
use Digest::SHA;
use File::Temp;
use IO::Handle;
use IO::Select;
use IPC::Open2;
use JSON::PP;
use Time::HiRes qw(time);

my $json = JSON::PP->new->utf8->canonical;


sub new {
    my ($class, $url, $ca) = @_;

    return bless { url => $url, ca => $ca, events => [] }, $class;
}


sub random_hex {
    my ($bytes) = @_;

    my $data;

    open my $in, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
    read $in, $data, $bytes;

    return unpack 'H*', $data;
}


sub sha256 {
    return Digest::SHA->new(256)->addfile($_[0], 'b')->hexdigest;
}


sub token {
    my ($self, $token) = @_;

    $self->{token} = $token;
}


# One option of a curl configuration, quoted; a flag has no value.
sub option {
    my ($name, $value) = @_;

    return "$name\n" if !defined $value;

    $value =~ s/([\\"])/\\$1/g;
    $value =~ s/\n/\\n/g;

    return "$name = \"$value\"\n";
}


# Starts curl; the handle to read from and its pid.
sub curl {
    my ($self, @options) = @_;
    my $conf = "silent\nshow-error\n" . option('cacert', $self->{ca});

    while (my ($name, $value) = splice @options, 0, 2) {
        $conf .= option($name, $value);
    }

    my $pid = open2(my $out, my $in, 'curl', '-q', '-K', '-');
    print $in $conf;
    close $in;

    return ($out, $pid);
}


# Runs curl to its end: the status and the body.
sub request {
    my ($self, @options) = @_;
    my ($out, $pid) = $self->curl('max-time' => 60, @options,
                                  'write-out' => '\n%{http_code}');
    my $text = do { local $/; <$out> };

    waitpid $pid, 0;
    die "curl failed\n" if $? != 0;

    return $text =~ /\A(.*)\n(\d+)\z/s ? ($2, $1) : die "curl: no status\n";
}


sub call {
    my ($self, $expected, $method, $path, $body) = @_;
    my @options = (url => $self->{url} . $path, request => $method);

    push @options, header => "Authorization: Bearer $self->{token}"
        if $self->{token};

    if ($method eq 'POST') {
        push @options, header => 'Content-Type: application/json',
            header => 'Idempotency-Key: ' . random_hex(12),
            'data-binary' => $json->encode($body);
    }

    my ($status, $text) = $self->request(@options);
    my $answer = eval { $json->decode($text) } // {};

    return $answer if $status == $expected;

    die "$method $path: $status "
        . ($answer->{code} ? "$answer->{code}: $answer->{title}"
                             . " (trace $answer->{trace_id})" : $text) . "\n";
}


sub put {
    my ($self, $upload, $path) = @_;
    my @headers = map { (header => "$_: $upload->{headers}{$_}") }
        grep { !/^(host|content-length)$/i } sort keys %{ $upload->{headers} };
    my ($status, $text) = $self->request(url => $upload->{url},
                                         'upload-file' => $path, @headers);

    die "the store said $status: $text\n" if $status !~ /^20[0-4]$/;
}


sub fetch {
    my ($self, $url, $path) = @_;
    my ($status) = $self->request(url => $url, output => $path);

    die "the download was answered with $status\n" if $status != 200;
}


sub listen {
    my ($self, $path, $shown) = @_;

    ($self->{stream}, $self->{pid}) = $self->curl(
        url => $self->{url} . $path, 'no-buffer' => undef,
        header => "Authorization: Bearer $self->{token}",
        header => 'Accept: text/event-stream');
    $self->{stream}->blocking(0);
    $self->{shown} = $shown;
    $self->{text} = '';
}


# The first event, seen or still to come, that the code likes.
sub wait_event {
    my ($self, $seconds, $like) = @_;
    my $end = time + $seconds;
    my $select = IO::Select->new($self->{stream});
    my $i = 0;

    while (1) {
        for (; $i < @{ $self->{events} }; $i++) {
            return $self->{events}[$i] if $like->($self->{events}[$i]);
        }

        my $left = $end - time;
        die "the event did not come in $seconds s\n"
            if $left <= 0 || !$select->can_read($left);

        my $n = sysread $self->{stream}, $self->{text}, 65536,
            length $self->{text};
        die "the event stream ended\n" if defined $n && $n == 0;
        $self->parse;
    }
}


sub parse {
    my ($self) = @_;

    while ($self->{text} =~ s/\A(.*?)\r?\n\r?\n//s) {
        my %field;

        for my $line (split /\r?\n/, $1) {
            my ($name, $value) = $line =~ /^(\w+): ?(.*)$/ or next;
            $field{$name} .= $value;
        }

        next if !defined $field{data};

        my $event = $json->decode($field{data});
        $event->{type} //= $field{event};
        push @{ $self->{events} }, $event;
        $self->{shown}->($event);
    }
}


sub hang_up {
    my ($self) = @_;

    return if !$self->{pid};

    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
    delete $self->{pid};
}


sub DESTROY {
    my ($self) = @_;

    local ($?, $@);
    $self->hang_up;
}


sub vips_fields {
    my ($path) = @_;

    open my $in, '-|', 'vipsheader', '-a', $path or die "vipsheader: $!\n";
    my %field = map { /^([\w-]+): (.*)$/ ? ($1, $2) : () } <$in>;
    close $in or die "$path is no picture\n";

    return %field;
}


# The mean difference of two pictures, both brought to 192x192.
sub difference {
    my ($one, $two) = @_;
    my $dir = File::Temp->newdir;

    vips('thumbnail', $one, "$dir/a.v", 192, '--height', 192, '--size',
         'force', '--no-rotate');
    vips('thumbnail', $two, "$dir/b.v", 192, '--height', 192, '--size',
         'force', '--no-rotate');
    vips('subtract', "$dir/a.v", "$dir/b.v", "$dir/c.v");
    vips('abs', "$dir/c.v", "$dir/d.v");

    return vips('avg', "$dir/d.v");
}


sub vips {
    my @args = @_;

    open my $out, '-|', 'vips', @args or die "vips: $!\n";
    my $text = do { local $/; <$out> };
    close $out or die "vips $args[0] failed\n";

    return $text;
}


1;
