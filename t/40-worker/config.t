# podictl config: what is unsafe, and what is in force and who says so.

use strict;
use warnings;
use lib 't/lib';

use JSON::PP ();
use POSIX ();
use Podi::Stack;
use Podi::Stack::Files;
use Test::More;

my $s = Podi::Stack->new(http => <<'CONF');
podi_limit_zone member 1m key=user rate=5r/s burst=20 mode=local;
podi_limit_zone shared 1m key=ip conn=3 mode=exact on_failure=local;
podi_limit_plan member pro rate=50r/s burst=200;
podi_channel partner {
    host partner.example;
    max_role user;
    app_key_sha256 0000000000000000000000000000000000000000000000000000000000000001;
}
CONF
my $dir = $s->dir;
my $ctl = "$dir/bin/podictl";
my $main = "$dir/conf/nginx.conf";
my $nginx = $ENV{TEST_NGINX_BINARY} // '/usr/sbin/nginx';

$s->start('pg');
Podi::Stack::Files::write_nginx($s);
Podi::Stack::Files::write_workers($s);


# exit code and what it said
sub ctl
{
    my (@word) = @_;
    my $text = Podi::Pg::run_quiet($ctl, @word);

    return ($? >> 8, $text);
}


sub lint
{
    my (@word) = @_;

    return ctl('config', 'lint', @word, '--nginx', $nginx, '--prefix',
               "$dir/");
}


sub append
{
    my ($file, $text) = @_;

    open my $out, '>>', $file or die "$file: $!";
    print {$out} $text;
    close $out or die $!;
}


# rows by "section name setting", and the line a text stands in
sub show
{
    my ($code, $text) = ctl('-c', "$dir/conf/workers.conf", 'config', 'show',
                            $main, '--json');
    my %row;

    is $code, 0, 'it is shown' or diag $text;
    for my $r (map { JSON::PP::decode_json($_) } split /\n/, $text) {
        push @{ $row{"$r->{section} $r->{name} $r->{setting}"} }, $r;
    }
    return \%row;
}


sub line
{
    my ($file, $pattern) = @_;

    open my $in, '<', "$dir/conf/$file" or die "$file: $!";
    while (<$in>) {
        return "$dir/conf/$file:$." if /$pattern/;
    }
    return 'nowhere';
}


sub row
{
    my ($rows, $name, @want) = @_;
    my @have = map { [@$_{qw(value from)}, $_->{origin} =~ s/\d\d\d\d-.*?(?=:? ?not|$)//r] }
               @{ $rows->{$name} // [] };

    is_deeply \@have, \@want, $name;
}


subtest 'config lint' => sub {
    my ($code, $text) = lint($main);

    is $code, 0, 'a configuration without a finding' or diag $text;
    is $text, '', 'says nothing';

    append("$dir/conf/podi-server.conf", "podi_csrf log;\npodi_dry_run on;\n");
    ($code, $text) = lint($main);
    is $code, 1, 'findings';
    my ($dry) = $text =~ /^(.*): dry_run: the gateway decides/m;
    is $dry, line('podi-server.conf', qr/^podi_dry_run on/), 'with their lines';
    is scalar(() = $text =~ /^/mg), 2, 'once each, though two servers have them';

    ($code, $text) = lint($main, '--json');
    my %found = map { $_->{rule} => $_ } map { JSON::PP::decode_json($_) }
                split /\n/, $text;
    is_deeply [sort keys %found], [qw( csrf_only_logs dry_run )], 'as JSON';
    is "$found{dry_run}{file}:$found{dry_run}{line}", $dry, 'with file and line';

    append("$dir/conf/podi-server.conf", "podi_nothing on;\n");
    ($code, $text) = lint($main);
    is $code, 3, 'a configuration that nginx does not take';
    like $text, qr/unknown directive "podi_nothing"/, 'in its words';
    is((lint("$dir/conf/no.conf"))[0], 3, 'none at all');
    is((ctl(qw(config lint), $main, '--nginx', "$dir/no"))[0], 3, 'no nginx');
    is((ctl(qw(config lint)))[0], 2, 'no file');
    Podi::Stack::Files::write_nginx($s);
};

subtest 'config show' => sub {
    my $db = $s->{db}->login('podi_ctl');

    $db->one(undef, 'select * from sys.channel_put(?, ?)', 'partner',
             '{"max_role": "admin", "origins": ["https://a.example", "https://b.example"]}');
    $db->one(undef, 'select * from sys.channel_kill(?, true)', 'late');
    $db->one(undef, 'select * from sys.limit_put(?, ?, ?, ?, ?, ?)', @$_)
        for [qw( member plan podi ), undef, qw( pro rate=9r/s )],
            [qw( member user one acme alice rate=8r/s )];
    my $off = show();
    my $at = sub { line('podi-http.conf', @_) };

    row($off, 'channel partner max_role',
        ['user', 'file', $at->(qr/^    max_role user/)],
        ['admin', 'database',
         'podi.channel, : not in force, podi_channel_overlay is off']);
    row($off, 'channel partner app_key_sha256',
        ['1 digests', 'file', $at->(qr/app_key_sha256/)]);
    row($off, 'channel partner kill', ['off', 'default', 'default']);
    row($off, 'limit member plan pro',
        ['rate=50r/s burst=200', 'file', $at->(qr/^podi_limit_plan/)],
        ['rate=9r/s', 'database',
         'podi.limit_rate, : not in force, podi_limit_rates is off']);

    append("$dir/conf/podi-http.conf",
           "podi_channel_overlay on;\npodi_limit_rates on;\n");
    my $on = show();

    row($on, 'channel partner host',
        ['partner.example', 'file', $at->(qr/^    host partner/)]);
    row($on, 'channel partner max_role', ['admin', 'database', 'podi.channel, ']);
    row($on, 'channel partner origins',
        ['https://a.example https://b.example', 'database', 'podi.channel, ']);
    row($on, 'channel late kill', ['on', 'database', 'podi.channel, ']);
    row($on, 'channel late max_role', ['any', 'default', 'default']);
    row($on, 'limit member rate',
        ['5r/s', 'file', $at->(qr/^podi_limit_zone member/)]);
    row($on, 'limit member missing', ['ip', 'default', 'default']);
    row($on, 'limit member plan pro',
        ['rate=9r/s', 'database', 'podi.limit_rate, ']);
    row($on, 'limit member user one acme alice',
        ['rate=8r/s', 'database', 'podi.limit_rate, ']);
    row($on, 'limit member on_failure', ['open', 'default', 'default']);
    row($on, 'limit shared on_failure',
        ['local', 'file', $at->(qr/^podi_limit_zone shared/)]);
    row($on, 'limit shared nodes', ['1', 'default', 'default']);
    row($on, 'limit shared burst');
    row($on, 'limit member nodes');
    row($on, 'store main type',
        ['embedded', 'file', $at->(qr/root=.*store;/)]);
    row($on, 'gateway http podi_zone', ['8m', 'file', $at->(qr/^podi_zone/)]);
    my ($file, $n) = line('podi-server.conf', qr/^location = .metrics/)
        =~ /(.*:)(\d+)/;
    row($on, "gateway server localhost 127.0.0.1:$_ location = /metrics"
             . ' podi_status', ['', 'file', $file . ($n + 4)])
        for $s->{port}, $s->{tls_port};
    row($on, 'workers common lease', ['12s', 'default', 'default']);
    row($on, 'workers podi_imaged work_dir',
        ["$dir/tmp", 'file', line('workers.conf', qr/^work_dir/)]);
};

subtest 'for people, and without secrets' => sub {
    append("$dir/conf/workers.conf",
           "[podi_hookd]\npg = host=/x password=hunter2 dbname=y\n");
    my ($code, $text) = ctl('-c', "$dir/conf/workers.conf",
                            qw(config show), $main);

    is $code, 0, 'a table';
    like $text, qr/^channel partner\n    host +partner\.example +\S+:\d+$/m,
        'name by name, setting by setting';
    like $text, qr/^workers podi_hookd\n    pg +.*\*\*\*/m, 'a password is hidden';
    unlike $text, qr/hunter2|0000000001/, 'nor is anything else told';
    is((ctl(qw(config show), $main))[0], 2, 'it wants workers.conf');

    my @pg = (["host=/x password='hunter six'", 'host=/x password=***'],
              ["password = 'a\\'hunter7' user=u", 'user=u password=***'],
              ['password=a;hunter11 port=1', 'password=*** port=1'],
              ['postgresql://u:hun/ter8@h/db', '***'],
              ['postgresql://u:hunter9@h/db', 'user=u password=*** dbname=db host=h'],
              ['host=/x sslpassword=hunter10', 'host=/x sslpassword=***'],
              ['dbname=postgresql://u:hunter12@h/db', 'dbname=***']);
    my $n = 0;

    append("$dir/conf/workers.conf", join '', map {
               $n++;
               "[podi_hookd_$n]\npg = $_->[0]\n" } @pg);
    append("$dir/conf/workers.conf",
           "[podi_hookd_r]\nredis = redis://:hunter13\@h\n"
           . "url = http://u:hunter/14\@h/x\n");
    my $http = join '', map { '    podi_pg "' . $_->[0] =~ s/\\/\\\\/gr
                              . "\";\n" } @pg;
    append("$dir/conf/podi-http.conf",
           "server {\n$http    podi_redis redis://:hunter15\@h;\n}\n");
    my $rows = show();
    my @worker = map { $rows->{"workers podi_hookd_$_ pg"}[0]{value} } 1 .. @pg;
    my @gateway = map { $_->{value} }
                  @{ $rows->{'gateway server (no name) * podi_pg'} };

    for my $had (\@worker, \@gateway) {
        is_deeply [map { join ' ', sort split / / } @$had],
                  [map { join ' ', sort split / /, $_->[1] } @pg],
                  'of a connection string all is shown but secrets';
    }
    is $rows->{'workers podi_hookd_r redis'}[0]{value}, '***', 'redis';
    is $rows->{'workers podi_hookd_r url'}[0]{value}, 'http://***@h/x', 'a URL';
    is $rows->{'gateway server (no name) * podi_redis'}[0]{value}, '***',
       'redis of the gateway';
    isnt((ctl('-c', "$dir/conf/workers.conf", qw(config show), "$dir/none"))[0],
         0, 'and a file that is there');
    POSIX::mkfifo("$dir/pipe", 0600) or die $!;
    isnt((ctl('-c', "$dir/conf/workers.conf", qw(config show), $_))[0], 0,
         'and a file: not a pipe, for which it does not wait, nor a directory')
        for "$dir/pipe", $dir;
};

# the daemon's words of a file with those sections, checked only
sub judged
{
    my ($text, @word) = @_;
    my $file = "$dir/conf/units.conf";

    unlink $file;
    append($file, "[common]\npg = host=$dir dbname=x\nlog_level = info\n$text");
    my $said = Podi::Pg::run_quiet("$dir/bin/podi_runnerd", '-c', $file, '-t', @word);

    return ($? >> 8) . " $said" =~ s/\s*$//r =~ s/\Q$file/FILE/gr;
}


subtest 'sections of an instance' => sub {
    my $own = "[podi_runnerd]\nwork_dir = $dir/tmp\n";
    my $far = "[podi_runnerd:far]\nqueue = http:far\n";

    system('cp', '-a', "$s->{build}/bin/podi_runnerd", "$dir/bin/");
    $own .= "providers_dir = $dir/conf/providers\n";
    mkdir "$dir/conf/providers";
    is judged($own . $far, '-n', 'far'), '0 podi_runnerd:far: FILE is fine', 'one';
    is judged($own . $far), '0 podi_runnerd: FILE is fine', 'none';
    is judged($own . "[podi_runnerd:far]\nconcurrency = many\n"),
       '0 podi_runnerd: FILE is fine', 'which another has, is not read';
    like judged($own . "[podi_runnerd:far]\nconcurrency = many\n", '-n', 'far'),
        qr/^1 podi_runnerd:far: FILE:8: concurrency = "many": /, 'but its own is';
    like judged($own . "margin = 1000\n" . $far, '-n', 'far'),
        qr/^1 podi_runnerd:far: FILE:7: margin = "1000": /, 'and what it inherits';
    like judged($own . "margin = 1000\n[podi_runnerd:far]\nmargin = 1\n", '-n',
                'far'), qr/^0 /, 'unless it says better';
    is judged("[podi_runnerd:far]\nmargin = 1\n" . $own . "margin = 1000\n", '-n',
              'far'), '0 podi_runnerd:far: FILE is fine', 'in whatever order';
    is judged($own . $far, '-n', 'near'),
       '1 podi_runnerd:near: FILE: there is no section [podi_runnerd:near]',
       'one that is not there';
    is judged($own . "[podi_imaged:far]\n", '-n', 'far'),
       '1 podi_runnerd:far: FILE: there is no section [podi_runnerd:far]',
       'that of another daemon';
    is judged($own . "[podi_runnerd:far]\ncolour = red\n", '-n', 'far'),
       '1 podi_runnerd:far: FILE:8: there is no setting "colour" in [podi_runnerd]',
       'a setting that nobody knows';
    is judged($own . "[podi_runnerd:Far out]\n"),
       '1 podi_runnerd: FILE:7: "Far out" is no name of an instance: write a-z 0-9'
       . ' _ -', 'no name';
    is judged($own . "[runnerd:far]\n"),
       '1 podi_runnerd: FILE:7: no daemon is called "runnerd:far"', 'no daemon';
    like judged($own . $far, '-n', $_), qr/^2 usage: podi_runnerd /, "not -n '$_'"
        for '', 'a b', '../far', 'x' x 33;

    Podi::Stack::Files::write_workers($s);
    append("$dir/conf/workers.conf", "\n$far");
    is show()->{'workers podi_runnerd:far queue'}[0]{value}, 'http:far',
       'podictl shows them';
};

done_testing;
