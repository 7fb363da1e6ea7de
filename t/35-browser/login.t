# The login page in a real browser: it asks, lets in, comes back without asking
# when only the access cookie is gone, and goes nowhere else.

use strict;
use warnings;

use Podi::Browser;
use Podi::Proc qw( poll );
use Podi::Stack;
use Test::More;

if (my $missing = Podi::Browser::missing()) {
    plan skip_all => "no $missing";
}

my $s = Podi::Stack->new;

$s->{server} = <<'CONF';
location /app/ {
    podi_auth on;
    podi_auth_login /login;
    default_type text/html;
    try_files /none @app;
}
location = /out {
    default_type text/html;
    add_header Set-Cookie
        "__Host-podi_s=; Max-Age=0; Path=/; Secure; HttpOnly";
    return 200 "<h1>gone</h1>";
}
location @app { default_type text/html; return 200 "<h1>inside</h1>"; }
location = /login { podi_login; }
CONF
$s->start;

my $mei = $s->register('mei');
my $b = Podi::Browser->new($s->dir . '/browser');
my $at = $s->tls_url;

# until the page says so, over as many pages as it takes
sub seen
{
    my ($js) = @_;

    return poll(6, sub { eval { $b->run("return $js") } });
}


sub fill
{
    my ($password) = @_;

    $b->run('const f = document.forms[0].elements;
        f[0].value = "mei"; f[1].value = arguments[0]; f[2].click()', $password);
}


$b->go("$at/app/x?y=1");
ok seen('location.pathname === "/login" && !document.forms[0].hidden'),
    'a person is asked';
fill('wrong password');
ok seen('document.querySelector("p").textContent'), 'a wrong password is said';
is seen('location.pathname'), '/login', 'and nobody goes anywhere';
fill($mei->{password});
ok seen('document.querySelector("h1").textContent === "inside"'),
    'the right one lets in';
is seen('location.pathname + location.search'), '/app/x?y=1',
    'where one wanted to go';

# the access cookie is over, the session is not; the last return is long ago
$b->go("$at/login?out");
$b->run('sessionStorage.clear()');
$b->go("$at/out");
$b->go("$at/app/z");
ok seen('document.querySelector("h1").textContent === "inside"'),
    'one comes back without being asked';
is seen('location.pathname'), '/app/z', 'to the place';

$b->go("$at/login?out");
ok seen('!document.forms[1].hidden'), 'there is a way out';
$b->run('document.forms[1].elements[0].click()');
ok seen('document.forms[1].hidden'), 'and it says so';
$b->go("$at/app/x");
ok seen('location.pathname === "/login" && !document.forms[0].hidden'),
    'after which one is asked again';

$b->quit;
$s->done;
done_testing;
