# What protection costs: one nginx worker on one core, a location with ever
# more of the gateway against one of the same nginx with the same headers, log
# and content handler, unprotected.
#
#     auth       RS256, warm in the cache of verified tokens
#     limits     + three local limits
#     full       + trace and metrics: what ARCHITECTURE 8 has a budget for
#     full_tls   the same over TLS
#     leased     full, its limits on leases from Redis
#     exact      full, its limits in Redis: one round trip for the three
#     cold       auth alone, ES256, verified anew at each request
#     peers      full beside what else stands in Debian: limit_req with
#                auth_request to an upstream that always agrees, and with njs
#                that verifies the same token
#
#     instructions, before all that: what nginx runs for a request, part by
#                part, each beside the one before it.  They are counted in
#                callgrind, so they are the same however busy the machine is.
#
#     ./build.sh bench gateway [SHAPE...]

use strict;
use warnings;

use File::Temp ();
use MIME::Base64 qw( encode_base64url );
use Podi::Bench;
use Podi::Bench::Callgrind;
use Podi::Proc qw( poll );
use Podi::Repo qw( slurp );
use Podi::Stack::Files;

# conf/stack/tests.sh has unpacked it; the machine's own nginx never loads it
my $NJS = $ENV{PODI_NJS} // '';

my %wanted = map { $_ => 1 } @ARGV;
my $bench = Podi::Bench->new('gateway');
my %port = map { $_ => Podi::Stack::free_port() }
    qw( bare bare_tls plain traced peers agree );
my $keys = File::Temp->newdir('podi-keys-XXXXXX', TMPDIR => 1);
my %token = map { $_ => token($_) } qw( RS256 ES256 );
my $s = $bench->stack(server => "\n" . locations(qw( limits leased exact )),
                      rewrite => \&rewrite);
my %at = (
    (map { $_ => "http://127.0.0.1:$port{plain}/$_" }
     qw( auth quiet limits cold )),
    trace => "http://127.0.0.1:$port{traced}/limits",
    (map { $_ => "http://127.0.0.1:$port{peers}/$_" } qw( agree njs )),
    full => $s->url . '/limits', full_tls => $s->tls_url . '/limits',
    leased => $s->url . '/leased', exact => $s->url . '/exact',
    bare => "http://127.0.0.1:$port{bare}/bench",
    bare_tls => "https://localhost:$port{bare_tls}/bench");
my @row = (
    ['gateway.full', 'full', 'bare'], ['gateway.full_tls', 'full_tls',
                                       'bare_tls'],
    ['gateway.auth', 'auth', 'bare'], ['gateway.limits', 'limits', 'bare'],
    ['gateway.leased', 'leased', 'bare'], ['gateway.exact', 'exact', 'bare'],
    ['gateway.auth_request', 'full', 'agree'],
    (-f $NJS ? ['gateway.njs', 'full', 'njs'] : ()));

# what has a budget is run more often
my %budget = map { $_ => 1 } qw( gateway.full gateway.full_tls );

my @part = (
    ['auth', 'auth', 'bare'], ['limits', 'quiet', 'auth'],
    ['ratelimit', 'limits', 'quiet'], ['trace', 'trace', 'limits'],
    ['rest', 'full', 'trace'], ['full', 'full', 'bare'],
    ['full_tls', 'full_tls', 'bare_tls'], ['leased', 'leased', 'full'],
    ['exact', 'exact', 'full']);

shapes_known();
prove_it();
instructions() if is_wanted('instructions');
measure(@$_) for grep { is_wanted($_->[0]) } @row;
cold() if is_wanted('cold');
$bench->done;


# --- measuring ---------------------------------------------------------------

# a shape, or a row by its name
sub is_wanted
{
    my ($name) = @_;

    return !%wanted || $wanted{$name =~ s/^gateway\.//r};
}


sub shapes_known
{
    my %known = map { ($_->[0] =~ s/^gateway\.//r) => 1 } @row;
    my @unknown = grep { !$known{$_} && !/^(?:instructions|cold)$/ }
        sort keys %wanted;

    die "gateway has no shape @unknown\n" if @unknown;
    return;
}


sub prove_it
{
    my %want = map { $_ => 401 } keys %at;

    @want{qw( bare bare_tls agree )} = (200) x 3;
    delete $want{njs} if !-f $NJS;
    for my $name (sort keys %want) {
        my $got = $s->get($at{$name}, unchecked => 1)->status;

        die "$name without a token: $got, not $want{$name}\n"
            if $got != $want{$name};
        ready($name);
    }
    $bench->fact('without a token: protected 401, unprotected 200');
    $bench->fact('njs: ' . (-f $NJS ? 'libnginx-mod-http-js' : 'not run'));
    return;
}


# until nginx knows who is revoked it lets nobody in
sub ready
{
    my ($name) = @_;
    my $token = $token{$name eq 'cold' ? 'ES256' : 'RS256'};
    my $got;

    poll(30, sub {
        $got = $s->get($at{$name}, unchecked => 1,
                       as => { token => $token })->status;
        $got == 200;
    }) or die "$name with a token: $got\n";
    return;
}


# what each part adds to the one before it
sub instructions
{
    my %title = (auth => 'auth', quiet => 'auth, limits',
                 limits => 'auth, limits, RateLimit', trace => '... and trace',
                 full => 'full', bare => title('bare'),
                 bare_tls => title('bare_tls'));
    my %count = map { $_->[1] => 0, $_->[2] => 0 } @part;

    $s->nginx->stop;
    my $callgrind = Podi::Bench::Callgrind->new($s);
    $count{$_} = $callgrind->count($at{$_},
                                   Authorization => "Bearer $token{RS256}")
        for sort keys %count;
    $callgrind->stop;

    for my $part (@part) {
        my ($row, $ours, $theirs) = @$part;

        $bench->row("gateway.instructions.$row",
            metric => 'nginx itself', unit => 'instructions/req',
            peer => $title{$theirs}, ours => [$count{$ours}],
            theirs => [$count{$theirs}],
            note => sprintf('%+.0f', $count{$ours} - $count{$theirs}));
    }
    $s->nginx->start;
    ready('full');
    return;
}


# each token is verified each time
sub cold
{
    $s->{http} = "podi_token_cache off;\n";
    $s->nginx->stop;
    $s->nginx->start;
    ready('cold');
    measure('gateway.cold', 'cold', 'bare');
    return;
}


sub run
{
    my ($name) = @_;
    my $worker = ($s->nginx->workers)[0];
    my $before = Podi::Bench::Tools::cpu($worker);
    my $token = $token{$name eq 'cold' ? 'ES256' : 'RS256'};
    my ($rate, $error) = $bench->wrk($at{$name},
        headers => ["Authorization: Bearer $token"]);
    my $spent = Podi::Bench::Tools::cpu($worker) - $before;

    push @{ $bench->{cpu}{$name} },
        $spent / ($rate * $bench->seconds) * 1e6 if $rate;
    return ($rate, $error);
}


sub title
{
    my ($name) = @_;

    return { bare => 'nginx, unprotected', bare_tls => 'nginx, unprotected',
             agree => 'limit_req, auth_request to an upstream',
             njs => 'limit_req, auth_request to njs' }->{$name};
}


sub measure
{
    my ($row, $ours, $theirs) = @_;

    run($_) for $ours, $theirs;
    $bench->{cpu} = {};
    $bench->compare($row, metric => 'throughput', unit => 'req/s',
        runs => $budget{$row} ? 2 * $bench->runs - 1 : $bench->runs,
        peer => title($theirs), ours => sub { run($ours) },
        theirs => sub { run($theirs) });
    $bench->row($row . '_cpu', metric => 'nginx CPU', unit => 'us/req',
        peer => title($theirs), ours => $bench->{cpu}{$ours},
        theirs => $bench->{cpu}{$theirs});
    return;
}


# --- configuration -----------------------------------------------------------

sub rewrite
{
    my ($file, $text) = @_;

    return $text . issuers() if $file eq 'podi-http.conf';
    return $text if $file ne 'nginx.conf';
    $text = "load_module $NJS;\n$text" if -f $NJS;
    $text =~ s/keepalive_timeout .*/$&\n    keepalive_requests 10000000;/;
    $text =~ s/\}\s*\z//;
    return $text . server('bare', '', bare())
        . server('bare_tls', tls(), bare())
        . server('plain', '', locations(qw( auth quiet limits cold )))
        . server('traced', '', "podi_trace on;\n" . locations('limits'))
        . server('peers', '', peers())
        . server('agree', '', "location / {\n    return 204;\n}\n") . "}\n";
}


# with the log and the headers of podi-server.conf, without PODI
sub server
{
    my ($name, $tls, $locations) = @_;
    my $listen = "127.0.0.1:$port{$name}" . ($tls ? ' ssl http2' : '');
    my %header = ('X-Content-Type-Options' => 'nosniff',
        'X-Frame-Options' => 'DENY', 'Referrer-Policy' => 'no-referrer',
        'Content-Security-Policy' =>
            q("default-src 'none'; frame-ancestors 'none'"));

    $header{'Strict-Transport-Security'} = '"max-age=31536000"' if $tls;
    return "server {\nlisten $listen;\n$tls"
        . "access_log log/podi_access.log podi;\n"
        . join('', map { "add_header $_ $header{$_} always;\n" }
                   sort keys %header)
        . "$locations}\n";
}


sub tls
{
    return "ssl_certificate ../tls/server.crt;\n"
        . "ssl_certificate_key ../tls/server.key;\n";
}


sub bare { return "location = /bench {\n    empty_gif;\n}\n" }


sub locations
{
    my %limit = (quiet => 'local', limits => 'local', leased => 'leased',
                 exact => 'exact');

    return join '', map {
        my $limits = $limit{$_} ? 'podi_limit '
            . join(' ', names($limit{$_})) . ';' : '';
        my $issuer = $_ eq 'cold' ? 'es' : 'rs';

        $limits .= ' podi_limit_headers off;' if $_ eq 'quiet';
        "location = /$_ {\n    podi_auth on;\n    podi_auth_issuer $issuer;\n"
            . "    $limits\n    empty_gif;\n}\n"
    } @_;
}


sub names { my ($mode) = @_; return map { "${mode}_$_" } qw( ip user session ) }


sub issuers
{
    my $text = '';

    for my $alg (qw( RS256 ES256 )) {
        my $name = lc substr $alg, 0, 2;
        my $file = key($alg) . '.pub';

        $text .= "podi_issuer $name {\n    issuer https://$name.example;\n"
            . "    audience bench;\n    key_file $file alg=$alg kid=k;\n}\n";
    }
    for my $mode (qw( local leased exact )) {
        $text .= "podi_limit_zone ${mode}_$_ 2m key=$_ rate=1000000r/s"
            . " burst=1000000 mode=$mode;\n" for qw( ip user session );
    }
    $text .= "limit_req_zone \$$_ zone=p_$_:2m rate=1000000r/s;\n"
        for qw( binary_remote_addr http_user_agent http_authorization );
    return $text . (-f $NJS ? njs() : '')
        . "upstream agree {\n    server 127.0.0.1:$port{agree};\n"
        . "    keepalive 64;\n}\n";
}


sub peers
{
    my $zones = join '', map { "    limit_req zone=$_ burst=100000 nodelay;\n" }
        qw( p_binary_remote_addr p_http_user_agent p_http_authorization );

    return "location = /agree {\n$zones    auth_request /_agree;\n"
        . "    empty_gif;\n}\nlocation = /_agree {\n    internal;\n"
        . "    proxy_pass http://agree;\n    proxy_pass_request_body off;\n"
        . "    proxy_http_version 1.1;\n"
        . "    proxy_set_header Connection '';\n}\n"
        . (-f $NJS ? "location = /njs {\n$zones    auth_request /_njs;\n"
           . "    empty_gif;\n}\nlocation = /_njs {\n    internal;\n"
           . "    js_content verify.token;\n}\n" : '');
}


# --- keys and tokens ---------------------------------------------------------

# a private key, and its public half beside it
sub key
{
    my ($alg) = @_;
    my $file = "$keys/$alg";

    return $file if -f $file;
    openssl('genpkey', '-out', $file, $alg eq 'RS256'
        ? qw( -algorithm RSA -pkeyopt rsa_keygen_bits:2048 )
        : qw( -algorithm EC -pkeyopt ec_paramgen_curve:P-256 ));
    openssl('pkey', '-in', $file, '-pubout', '-out', "$file.pub");
    return $file;
}


sub openssl
{
    open my $out, '-|:raw', 'sh', '-c', 'exec openssl "$@" 2>/dev/null',
        'openssl', @_ or die "openssl: $!";
    my $text = do { local $/; <$out> } // '';
    close $out or die "openssl @_ failed\n";
    return $text;
}


sub token
{
    my ($alg) = @_;
    my $name = lc substr $alg, 0, 2;
    my $now = time;
    my $text = join '.', map { encode_base64url($_) }
        qq({"alg":"$alg","typ":"JWT","kid":"k"}),
        qq({"iss":"https://$name.example","aud":"bench","sub":"u1","sid":"s1",)
        . qq("tid":"t1","rol":"user","scope":"a b","iat":$now,"exp":)
        . ($now + 7200) . '}';
    my $file = "$keys/text";

    Podi::Stack::Files::write_file($file, $text);
    my $made = openssl('dgst', '-sha256', '-sign', key($alg), $file);

    if ($alg eq 'ES256') {
        my (undef, undef, undef, $r, undef, $s) = unpack 'C C C C/a C C/a',
            $made;
        $made = join '', map { substr(("\0" x 32) . $_, -32) } $r, $s;
    }
    return "$text." . encode_base64url($made);
}


# what somebody would write for it; njs has no memory over requests
sub njs
{
    my $spki = slurp(key('RS256') . '.pub') =~ s/-----[^\n]*\n|\n//gr;

    Podi::Stack::Files::write_file("$keys/verify.js", <<"JS");
const spki = '$spki';
const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

async function token(r) {
    try {
        const t = r.headersIn.Authorization.slice(7).split('.');
        const key = await crypto.subtle.importKey('spki',
            Buffer.from(spki, 'base64'), rsa, false, ['verify']);
        const good = await crypto.subtle.verify(rsa, key,
            Buffer.from(t[2], 'base64url'), t[0] + '.' + t[1]);
        const c = JSON.parse(Buffer.from(t[1], 'base64url'));

        r.return(good && c.iss === 'https://rs.example' && c.aud === 'bench'
                 && c.exp > Date.now() / 1000 ? 204 : 401);
    } catch (e) {
        r.return(401);
    }
}

export default { token };
JS
    return "js_import verify from $keys/verify.js;\n";
}
