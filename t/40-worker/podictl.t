# podictl: the operator's hand, its words and its exit codes.

use strict;
use warnings;
use lib 't/lib';

use JSON::PP ();
use Test::More;
use Podi::Hands;
use Podi::Proc qw(poll);

my $h = Podi::Hands->new;
my $conf = "$h->{dir}/ctl.conf";
my $bin = "$h->{build}/bin/podictl";


sub conf
{
    my (%set) = (pg => $h->{pg}->conninfo('podi_ctl', $h->{db}{name}),
                 redis => $h->{redis}, @_);

    open my $file, '>', $conf or die "$conf: $!";
    print {$file} "[common]\nlease = 12s\n[podictl]\n",
                  map { "$_ = $set{$_}\n" } sort keys %set;
    close $file;
    return;
}


# exit code and what it said
sub ctl
{
    my (@word) = @_;
    my $text = Podi::Pg::run_quiet($bin, '-c', $conf, @word);

    return ($? >> 8, $text);
}


# puts the text, from a file or from stdin
sub put
{
    my ($noun, $text, $stdin) = @_;
    my $file = "$h->{dir}/put.json";

    open my $out, '>', $file or die "$file: $!";
    print {$out} $text;
    close $out or die $!;
    return ctl($noun, 'put', $file) if !$stdin;

    my $said = Podi::Pg::run_quiet('bash', '-c', '"$@" < "$0"', $file, $bin,
                                   '-c', $conf, $noun, 'put', '-');
    return ($? >> 8, $said);
}


# what a list says, by the member that names each
sub list
{
    my ($name, @word) = @_;
    my ($code, $text) = ctl(@word);

    return $code if $code;
    return { map { $_->{$name} => $_ } map { JSON::PP::decode_json($_) }
             split /\n/, $text };
}


conf();

subtest 'channels' => sub {
    my $file = "$h->{dir}/channel.json";
    my $write = sub {
        open my $out, '>', $file or die "$file: $!";
        print {$out} $_[0];
        close $out or die $!;
        return (ctl(qw(channel set partner), $file))[0];
    };

    is $write->('{"max_role": "user", "host": ["a.example"]}'), 0, 'one is set';
    is $write->('{"host": null}'), 0, 'and changed';
    is_deeply list('channel', qw(channel list))->{partner}{settings},
       { max_role => 'user' }, 'member by member';
    is $write->($_), 1, "refused: $_" for '{"hosts": "a"}', '{"host":', '[]', '';
    is +(ctl(qw(channel kill partner)))[0], 0, 'it is closed';
    ok list('channel', qw(channel list))->{partner}{killed}, 'and says so';
    is +(ctl(qw(channel open partner)))[0], 0, 'and opened';
    is +(ctl(qw(channel kill), 'No such name'))[0], 1, 'no name of a channel';
};

subtest 'tenant create' => sub {
    my ($code, $text) = ctl(qw(tenant create --slug zoo --name), 'The Zoo');

    is $code, 0, 'is done';
    like $text, qr/^slug=zoo$/m, 'and told';
    ($code, $text) = ctl(qw(tenant create zoo), 'The Zoo');
    is $code, 0, 'once more is no failure';
    like $text, qr/^is_new=(?:f|false)$/m, 'and nothing new';
    is((ctl(qw(tenant create --slug), 'No Slug', '--name', 'x'))[0], 1,
        'a slug that is none is refused');
};

subtest 'limit set, limit list' => sub {
    my ($code, $text) = ctl(qw(limit set member plan pro), 'rate=5r/s burst=9');

    is $code, 0, 'a rate is set';
    like $text, qr/"terms":"rate=5r\/s burst=9"/, 'and told';
    is((ctl(qw(limit set member user ann conn=3 --tenant acme)))[0], 0,
       'of a user, by his login');
    is((ctl(qw(limit set member user alice conn=4 --issuer partner)))[0], 0,
       'of another issuer, by sub');
    my $rates = list('subject', qw(limit list));
    is $rates->{alice}{issuer}, 'partner', 'and its issuer is told';
    is $rates->{pro}{terms}, 'rate=5r/s burst=9', 'listed';
    is((ctl(qw(limit set member plan pro none)))[0], 0, 'taken away');
    is((ctl(qw(limit set member plan pro none)))[0], 1, 'only once');
    isnt((ctl(@$_))[0], 0, "refused: @$_")
        for [qw(limit set member plan pro much)],
            [qw(limit set member user nobody rate=1r/s --tenant acme)];
};

subtest 'quota put, quota list, tenant zone' => sub {
    my ($code, $text) = ctl(qw(quota put acme points 50 --period month));

    is $code, 0, 'a budget is put';
    like $text, qr/scope.*tenant/, 'of the tenant';
    is((ctl(qw(quota put acme in_flight 3 --login), '*'))[0], 0, 'of each user');
    is((ctl(qw(quota put acme calls 9 --period day --login ann)))[0], 0, 'of one');
    ($code, $text) = ctl(qw(quota list acme));
    is $code, 0, 'they are listed';
    like $text, qr/$_/, "with $_" for qw(points in_flight calls ann);
    is((ctl(qw(quota put acme points none --period month)))[0], 0, 'taken away');
    is((ctl(qw(quota put acme points none --period month)))[0], 1, 'only once');
    is((ctl(@$_))[0], 1, "refused: @$_")
        for [qw(quota put acme points 50)], [qw(quota put acme points much)],
            [qw(quota put acme calls 5 --period day --login nobody)],
            [qw(quota list nowhere)], [qw(tenant zone acme Mars)];
    is((ctl(qw(tenant zone acme Asia/Shanghai)))[0], 0, 'a time zone');
    ctl(qw(quota put acme in_flight none --login), '*');
    ctl(qw(quota put acme calls none --period day --login ann));
    ctl(qw(tenant zone acme UTC));
};

subtest 'wallet grant' => sub {
    my $before = $h->{work}->wallet($h->{ann})->[0];
    my @grant = (qw(wallet grant --tenant acme --login ann --points 250),
                 qw(--kind paid --source-ref order-1));
    my ($code, $text) = ctl(@grant);

    is $code, 0, 'is done';
    is $h->{work}->wallet($h->{ann})->[0], $before + 250, 'to the point';
    like $text, qr/^available=@{[$before + 250]}$/m, 'and told';
    my @heard = $h->heard('wallet.granted');
    is $heard[-1]{data}{amount}, 250, 'the user hears of it at once';

    is((ctl(@grant))[0], 0, 'the same once more');
    is $h->{work}->wallet($h->{ann})->[0], $before + 250, 'grants nothing';

    my $deaf = Podi::Pg::run_quiet('bash', '-c',
        '"$@" | true; echo ${PIPESTATUS[0]}', 'bash', $bin, '-c', $conf, @grant);
    is $deaf, "0\n", 'nor does it die when nobody listens';

    my $case = sub { (ctl(qw(wallet grant --tenant acme), @_))[0] };
    is $case->(qw(--login nobody --points 1 --source-ref x)), 1,
        'nobody gets nothing';
    is $case->(qw(--login ann --points 1.5 --source-ref x)), 1,
        'half a point is none';
    is $case->(qw(--login ann --points 5 --source-ref x --expires soon)), 1,
        'soon is no time';
    is $case->(qw(--login ann --points 5)), 2, 'the reference is needed';
    is $case->(qw(--login ann --points 5 --source-ref y
                  --expires 2999-01-01T00:00:00Z)), 0, 'a lot may expire';
};

subtest 'account role' => sub {
    is((ctl(qw(account role --tenant acme --login ann --role admin)))[0], 0,
        'is given');
    is $h->{db}->super->value(undef,
        "select role from podi.users where login = 'ann'"), 'admin', 'really';
    is((ctl(qw(account role --tenant acme --login ann --role king)))[0], 1,
        'there are no kings');
};

subtest 'revoke' => sub {
    my $issued = 'select coalesce(string_agg(kind || ' . "' ' || id, ', '"
        . ' order by kind), ' . "'')" . ' from podi.revocation_any';

    my ($code, $out) = ctl(qw(revoke user ann --tenant acme --reason lost));
    is $code, 0, 'a user by login';
    like $out, qr/^kind=user\nissuer=podi\nid=[0-9a-f-]{36}\nuntil=.*\nended=0$/m,
        '... which is told';
    is $h->{db}->super->value(undef, 'select reason from podi.revocation'),
        'lost', '... really';
    is((ctl(qw(revoke token t1 --for 60)))[0], 0, 'a token');
    is((ctl(qw(revoke channel shop)))[0], 0, 'a channel');
    is((ctl(qw(revoke user zoe --issuer corp)))[0], 0, 'a stranger');
    is $h->{db}->super->value(undef, $issued),
        'channel shop, token t1, user zoe', 'all of them, really';
    is((ctl(qw(revoke user ann)))[0], 1, 'of ours a login wants a tenant');
    is((ctl(qw(revoke session), $h->{db}->uuid))[0], 1, 'no such session');
    is((ctl(qw(revoke token t1 --for soon)))[0], 1, 'soon is no time');
    is((ctl(qw(revoke token)))[0], 2, 'which one?');
};

subtest 'action put' => sub {
    my $file = "$h->{dir}/action.json";
    my $put = sub { open my $out, '>', $file or die $!;
                    print {$out} $_[0]; close $out;
                    (ctl(qw(action put), $file))[0] };

    is $put->('{"action":"test.succeed","price":7}'), 0, 'is put';
    is $h->{db}->super->value(undef,
        "select price from podi.action where action = 'test.succeed'"), 7,
        'at the new price';
    is $put->('{"action":"test.succeed","price":7'), 1, 'half a file is not';
    is $put->('{"action":"test.succeed","prize":7}'), 1, 'nor a wrong name';
    is((ctl(qw(action put /no/such/file)))[0], 1, 'nor a file that is not');
};

subtest 'invariants' => sub {
    is_deeply [ctl('invariants')], [0, ''], 'none is broken';
    $h->{db}->super->all(undef, 'update podi.wallet set available ='
                         . ' available + 1 where user_id = ?', $h->{ann}{user});
    my ($code, $text) = ctl('invariants');
    is $code, 1, 'one is broken';
    like $text, qr/^I\d+ [^\t]+\t\S+/, 'and named';
    $h->{db}->super->all(undef, 'update podi.wallet set available ='
                         . ' available - 1 where user_id = ?', $h->{ann}{user});
};

subtest 'key make' => sub {
    my %like = (context => qr/^[A-Za-z0-9_-]{1,32} [0-9a-f]{64}$/,
                refresh => qr/^[0-9a-f]{64}$/, kek => qr/^[0-9a-f]{64}$/,
                secret => qr/^[0-9a-f]{48}$/,
                store => qr/^PODI[0-9a-f]{16}:[0-9a-f]{40}$/,
                token => qr/^-----BEGIN PRIVATE KEY-----/);

    for my $kind (sort keys %like) {
        my $file = "$h->{dir}/$kind.key";
        my ($code, $text) = ctl(qw(key make --kind), $kind, '--out', $file);

        is $code, 0, "$kind is made";
        is $text, '', 'and not shown';
        is sprintf('%o', (stat $file)[2] & 07777), '600', 'for the owner';
        open my $in, '<', $file or die "$file: $!";
        like join('', <$in>), $like{$kind}, 'in its form';
        is((ctl(qw(key make --kind), $kind, '--out', $file))[0], 1,
            'and never twice');
    }
    is((ctl(qw(key make --kind house --out /tmp/x)))[0], 2, 'no other kind');
};

subtest 'points taken, given back, and looked at' => sub {
    my ($code, $said) = ctl(qw(wallet adjust acme ann -3 mistake fix-1));
    is $code, 0, 'an operator takes points';
    like $said, qr/^available=\d+$/m, 'and is told what is left';
    like +(ctl(qw(wallet adjust acme ann -3 mistake fix-1)))[1],
        qr/^is_new=f$/m, 'once for each ref';
    is +(ctl(qw(wallet adjust acme ann x mistake fix-2)))[0], 1, 'no number';
    is +(ctl('wallet', 'adjust', 'acme', 'ann', '5', '', 'fix-3'))[0], 1,
        'not without a reason';
    is +(ctl(qw(wallet refund acme ann broken r-1)))[0], 1,
        'a refund says of what';
    is +(ctl(qw(wallet refund acme ann broken r-1 --task 7)))[0], 1, 'no id';
    is +(ctl(qw(wallet refund acme ann broken r-1 --hold 1)))[0], 1,
        'no such hold';
    ($code, $said) = ctl(qw(wallet verify));
    is $code, 0, 'the ledgers are whole';
    like $said, qr/^\{.*"fault":null\}$/m, 'a line for each';
    my $rows = sub { my $n = 0; $n += $1 while $_[0] =~ /"checked":(\d+)/g; $n };
    my $all = $rows->($said);
    ($code, my $parts) = ctl(qw(wallet verify --rows 1));
    is "$code " . $rows->($parts), "0 $all", 'slice by slice the same rows';
    cmp_ok scalar(() = $parts =~ /^\{/mg), '>=', $all, '... in more of them';
    my ($wallet) = $said =~ /"wallet_id":"([^"]+)","checked":[1-9]/;
    ($code, $parts) = ctl(qw(wallet verify --wallet), $wallet, qw(--rows 1));
    is "$code " . $rows->($parts),
        '0 ' . $rows->($said =~ /^(.*$wallet.*)$/m), 'of one wallet, too';
    is +(ctl(qw(wallet verify --rows few)))[0], 1, 'no number';
    like +(ctl(qw(report daily)))[1],
        qr/^\{"day":"[-0-9]+","tenant":null,/, 'a day';
    is +(ctl(qw(report daily --day yesterday)))[0], 1, 'no day';
};

subtest 'queues, gates and dead letters' => sub {
    like +(put('queue', '{"queue":"image","state":"paused"}'))[1],
        qr/"queue":"image","is_new":false/, 'a queue is changed';
    is list('queue', qw(queue list))->{image}{state}, 'paused', 'and shown';
    is list('scope', qw(gate list))->{'queue:image'}{slots}, 0,
        'as a gate that is shut';
    is +(put('queue', '{"queue":"image","state":"active"}'))[0], 0, 'back';
    is +(put('queue', '{"queue":"image","colour":1}'))[0], 1, 'no such word';
    is +(put('gate', '{"scope":"queue:image","slots":4}'))[0], 0, 'a gate';
    is list('scope', qw(gate list))->{'queue:image'}{slots}, 4, 'and shown';
    is +(put('gate', '{"scope":"queue:image"}'))[0], 0, 'is taken away';
    is list('scope', qw(gate list))->{'queue:image'}, undef, 'and gone';
    is +(put('gate', '[]'))[0], 1, 'no object';
    my $task = $h->{work}->submit($h->{ann}, inputs => [
        $h->{work}->media($h->{ann}) ], actions => ['thumbnail']);
    cmp_ok list('queue', qw(queue list))->{image}{queued}, '>=', 1,
        'how many wait in it';
    $h->{work}->cancel($h->{ann}, $task->{task_id});
    is_deeply [ ctl(qw(job aside)) ], [ 0, '' ], 'no dead letters';
    is +(ctl('job', 'dismiss', '0198c5a2-7d10-7c3a-9b1e-2f60c1a4d5e6', 'seen')
        )[0], 1, 'one that is not there';
    is +(ctl(qw(job dismiss x seen)))[0], 1, 'no id';

    my ($w, $ann) = @{$h}{qw(work ann)};
    $task = $w->submit($ann, inputs => [ $w->media($ann) ],
                       actions => ['convert']);
    my $job = $task->{jobs}[0]{job_id};
    for my $n (1 .. 3) {
        $w->claim([$job], worker => "poor$n");
        $w->sys('worker_gone(?)', "poor$n");
    }
    is list('job_id', qw(job aside))->{$job}{crashes}, 3, 'a dead letter';
    is +(ctl('job', 'replay', $job, ''))[0], 1, 'not without a reason';
    my ($code, $said) = ctl('job', 'replay', $job, '--reason', 'mended');
    is $code, 0, 'it is replayed';
    is $said, "task_id=$task->{task_id}\nround=2\nprice=1\n", 'as it says';
    is $w->job($job)->{state}, 'queued', 'and waits again';
    my @heard = grep { $_->{task_id} eq $task->{task_id} }
        $h->heard('task.queued');
    is $heard[-1]{data}{round}, 2, 'its user hears of it at once';
    is +(ctl('job', 'replay', $job, '--reason', 'mended'))[0], 1, 'once';
    is_deeply [ ctl(qw(job aside)) ], [ 0, '' ], 'it is off the list';
    $w->cancel($ann, $task->{task_id});
};

subtest 'prices and plans' => sub {
    my ($code, $said) = put('price', '{"action":"image.resize","base":4,'
                            . '"terms":[],"reason":"new"}');
    is $code, 0, 'a price';
    my ($rule) = $said =~ /"rule_id":(\d+)/;
    my $rules = list('rule_id', qw(price list --action image.resize));
    is_deeply [ @{ $rules->{$rule} }{qw(action base)} ], [ 'image.resize', 4 ],
        'is in the list';
    ok $rules->{$rule}{in_force}, 'and in force';
    is_deeply list('rule_id', qw(price list --action image.convert)), {},
        'not of another action';
    is $h->{work}->submit($h->{ann}, inputs => [ $h->{work}->media($h->{ann}) ],
        actions => ['resize'])->{price}, 4, 'and is what a task costs';
    is +(put('price', '{"action":"image.resize","prize":4}'))[0], 1,
        'no such word';
    is +(put('price', '{"action":"no.such","base":4}'))[0], 1, 'no such action';

    is +(put('plan', '{"plan":"gold","weight":5,"tenant_slots":9}', 1))[0], 0,
        'a plan, from stdin';
    is list('plan', qw(plan list))->{gold}{weight}, 5, 'is in the list';
    is +(put('plan', '{"plan":"gold","weight":7}'))[0], 0, 'is changed';
    is_deeply [ @{ list('plan', qw(plan list))->{gold} }{qw(weight tenant_slots
                                                            tenants)} ],
        [ 7, 9, 0 ], 'where it was told';
    ($code, $said) = ctl(qw(tenant plan acme gold));
    is $code, 0, 'a tenant is put on it';
    like $said, qr/"plan":"gold"/, 'and told';
    is list('plan', qw(plan list))->{gold}{tenants}, 1, 'and counted';
    is +(ctl(qw(tenant plan acme tin)))[0], 1, 'not on one that is none';
    is +(ctl(qw(tenant plan nobody gold)))[0], 1, 'nor a tenant that is none';
    is +(put('price', '{"action":"image.resize","plan":"gold","base":1,'
             . '"terms":[{"unit":"megapixel","points":1,"per":4}],'
             . '"reason":"spring"}', 1))[0], 0, 'a plan has its own prices';
    is +(put('gate', '{"scope":"key:render","slots":8,"rate":60,'
             . '"period_ms":60000,"burst":10}'))[0], 0, 'a gate with a rate';
    is +(put('gate', '{"scope":"key:render"}'))[0], 0, 'and gone';
    is +(put('plan', '', 1))[0], 1, 'nothing on stdin';
    is +(put('plan', '{"plan":', 1))[0], 1, 'half a plan';
};

# a subcommand with this on its stdin
sub told
{
    my ($text, @word) = @_;
    my $file = "$h->{dir}/stdin";

    open my $out, '>', $file or die "$file: $!";
    print {$out} $text;
    close $out or die $!;

    my $said = Podi::Pg::run_quiet('bash', '-c', '"$@" < "$0"', $file, $bin,
                                   '-c', $conf, @word);
    return ($? >> 8, $said);
}


# the slave of a new terminal, and what keeps it there
sub terminal
{
    my $n = pack 'i', 0;

    open my $pty, '+<', '/dev/ptmx' or die "/dev/ptmx: $!";
    ioctl $pty, 0x40045431, $n or die "TIOCSPTLCK: $!";
    ioctl $pty, 0x80045430, $n or die "TIOCGPTN: $!";
    return ('/dev/pts/' . unpack('i', $n), $pty);
}


subtest 'keys of providers' => sub {
    my $kek = "$h->{dir}/kek.key";
    my @add = qw(key add fal main);
    my $secret = 'fal-0123456789abcdef';
    my ($code, $text) = told($secret, @add);

    is $code, 1, 'without a key to seal it under nothing is kept';
    like $text, qr/kek_file is not set/, 'and that is said';
    conf(kek_file => $kek);
    chmod 0640, $kek;
    like +(told($secret, @add))[1], qr/open to others/, 'nor under an open one';
    chmod 0600, $kek;

    my ($tty, $pty) = terminal();
    ($code, $text) = (Podi::Pg::run_quiet('bash', '-c', '"$@" < "$0"', $tty,
                                          $bin, '-c', $conf, @add));
    like $code, qr/a terminal would show it/, 'nor from a keyboard';
    close $pty;

    for my $bad ('', "\n", "two\nlines", '{"secret": ""}', '{"secret": 3}',
                 '{"access_key": "a"}', '{"secret": "a", "more": "b"}',
                 '{"secret": "a"', 'x' x 9000) {
        ($code, $text) = told($bad, @add);
        is $code, 1, 'refused: ' . substr $bad, 0, 30;
        unlike $text, qr/two|lines|more/, 'and not shown';
    }

    ($code, $text) = told("$secret\n", @add);
    is $code, 0, 'one is kept' or diag $text;
    my $row = JSON::PP::decode_json($text);
    is_deeply [@{$row}{qw(provider name state)}], [qw(fal main active)], 'told';
    is +(told('another', @add))[0], 1, 'one of a name at a time';
    is +(told('x', qw(key add), 'no provider', 'x'))[0], 1, 'a name that is none';

    ($code, my $all) = ctl(qw(key list));
    unlike "$text$all", qr/0123456789abcdef|sealed/, 'its seal is not told, either';
    is $row->{kek}, JSON::PP::decode_json($all)->{kek}, 'but the key it is under';

    my $kept = $h->{db}->super->one(undef, q{select key_id, kek, encode(sealed, 'hex')}
                                    . ' as sealed from podi.provider_key');
    my $open = sub {
        my (%o) = (key_id => $kept->{key_id}, provider => 'fal', name => 'main',
                   kek => $kept->{kek}, sealed => $kept->{sealed}, file => $kek,
                   @_);
        return Podi::Pg::run_quiet("$h->{build}/test/kekc",
                                   @o{qw(file key_id provider name kek sealed)});
    };
    is $open->(), qq({"secret":"$secret"}\n), 'a worker opens it';
    like $open->(@$_), qr/does not open/, "but not with another $_->[0]"
        for [provider => 'ark'], [name => 'other'], [key_id => $h->{ann}{user}],
            [sealed => $kept->{sealed} =~ s/.$/$& eq '0' ? 1 : 0/er],
            [sealed => substr $kept->{sealed}, 0, -2], [sealed => 'zz'], [sealed => ''];
    like $open->(kek => '00000000'), qr/another key-encryption key/,
        'nor when it is under another key';

    is +(told('{"access_key": "AK", "secret": "SK"}', qw(key add ark pair)))[0], 0,
        'a pair';
    is +(ctl(qw(key disable fal main)))[0], 0, 'disabled';
    is +(ctl(qw(key disable fal main)))[0], 1, 'once';
    is_deeply { map { $_ => list('name', qw(key list))->{$_}{state} }
                qw(main pair) }, { main => 'disabled', pair => 'active' },
              'which the list says';
    ok !grep({ /0123456789abcdef|\bSK\b/ } map { $_->{detail} }
             @{ $h->{db}->super->all(undef, 'select detail from podi.operator_audit') }),
       'the audit has no secret';
};

subtest 'a key-encryption key in another form' => sub {
    my $dir = "$h->{dir}/credentials";
    my $write = sub {
        my ($file, $bytes) = @_;
        open my $out, '>', $file or die "$file: $!";
        print {$out} $bytes;
        close $out or die $!;
        chmod 0600, $file;
    };

    mkdir $dir or die $!;
    $write->("$h->{dir}/kek.b64", 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=');
    conf(kek_file => "$h->{dir}/kek.b64");
    is +(told('x', qw(key add fal base64)))[0], 0, 'base64';
    $write->("$h->{dir}/kek.b64", $_), like +(told('x', qw(key add fal bad)))[1],
        qr/is not 32 bytes/, 'refused: ' . length for 'AAEC', 'a' x 63, 'a' x 66;

    $write->("$dir/podi_kek", '0' x 64);
    local $ENV{CREDENTIALS_DIRECTORY} = $dir;
    is +(told('x', qw(key add fal credential)))[0], 0, 'a credential of systemd';
    is list('name', qw(key list))->{credential}{kek}, '66687aad',
       'goes before the file';
    conf();
};

subtest 'ComfyUI servers and workflows' => sub {
    my $say = sub { my ($text, @word) = @_;
                    return told(JSON::PP::encode_json($text), 'comfy', @word, '-') };
    my %flow = (workflow => 'invert', mapping => { outputs => [{ node => '2' }] },
                graph => { 1 => { class_type => 'LoadImage', inputs => { image => 'a' } },
                           2 => { class_type => 'SaveImage',
                                  inputs => { images => ['1', 0] } } });

    is +($say->({ server => 'one', url => 'http://10.0.0.7:8188' },
                qw(server put)))[0], 0, 'a server is put';
    like +($say->({ server => 'one', url => 'file:///' }, qw(server put)))[1],
        qr/field url/, 'one without an address is refused';
    for my $to ([drain => 'draining'], [disable => 'disabled'], [enable => 'active']) {
        is +(ctl('comfy', 'server', $to->[0], 'one'))[0], 0, "$to->[0]";
        is list('server', qw(comfy server list))->{one}{state}, $to->[1], 'is done';
    }
    is +(ctl(qw(comfy server drain two)))[0], 1, 'not what is not there';

    is +($say->(\%flow, qw(workflow put)))[0], 0, 'a workflow is put';
    my ($code, $text) = $say->({ %flow, mapping => { outputs => [{ node => '3' }] } },
                               qw(workflow put));
    is $code, 1, 'one that is wrong is not';
    like $text, qr/mapping\.outputs\[0\]/, 'and where is said';
    is +(ctl(qw(comfy workflow publish invert)))[0], 1, 'nobody can run it';
    $h->{db}->login('podi_worker')->all(undef, 'select sys.comfy_seen_put(?)',
        JSON::PP::encode_json({ server => 'one', ok => JSON::PP::true,
            nodes => { LoadImage => { required => ['image'] } } }));
    like +(ctl(qw(comfy workflow publish invert)))[1],
        qr/server one: it has no node SaveImage.*graph\.2\.class_type/,
        'what is missing is named';
    $h->{db}->login('podi_worker')->all(undef, 'select sys.comfy_seen_put(?)',
        JSON::PP::encode_json({ server => 'one', nodes => {
            LoadImage => { required => ['image'] },
            SaveImage => { required => ['images'] } } }));
    is +(ctl(qw(comfy workflow publish invert --version 7)))[0], 1, 'no such version';
    is +(ctl(qw(comfy workflow publish invert --version x)))[0], 1, 'no version';
    is +(ctl(qw(comfy workflow publish invert)))[0], 0, 'then it is live';
    is list('workflow', qw(comfy workflow list))->{invert}{state}, 'live', 'and says so';
    is_deeply list('workflow', qw(comfy workflow show invert))->{invert}{graph},
              $flow{graph}, 'and what it is';
    is +(ctl(qw(comfy workflow show invert --version 7)))[0], 1, 'not of another version';
    is +(ctl(qw(comfy server remove one)))[0], 1, 'one that works stays';
    ctl(qw(comfy server disable one));
    is +(ctl(qw(comfy server remove one)))[0], 0, 'one that is disabled goes';
    is_deeply list('server', qw(comfy server list)), {}, 'at once';
    is +(ctl(@$_))[0], 2, "@$_" for [qw(comfy)], [qw(comfy server)],
        [qw(comfy server put)], [qw(comfy server paint one)];
};

subtest 'comfy apply' => sub {
    my %flow = (graph => { 1 => { class_type => 'LoadImage', inputs => { image => 'a' } },
                           2 => { class_type => 'SaveImage',
                                  inputs => { images => ['1', 0] } } },
                mapping => { outputs => [{ node => '2' }] });
    my $farm = { servers => [map { { server => "s$_", url => "http://10.0.0.$_:8188" } }
                             1, 2],
                 workflows => [{ workflow => 'flip', %flow, publish => JSON::PP::true }] };
    # exit code and "name change" of each row
    my $apply = sub {
        my ($code, $text) = told(JSON::PP::encode_json($farm), qw(comfy apply -), @_);
        my @rows = map { JSON::PP::decode_json($_) } grep { /^\{/ } split /\n/, $text;
        return [$code, map { "$_->{name} $_->{change}" } @rows];
    };
    my $super = $h->{db}->super;
    my $count = sub { $super->value(undef, 'select count(*) from podi.operator_audit') };

    is_deeply $apply->(), [1, 's1 added', 's2 added', 'flip added', 'flip refused'],
              'all of it but what no server was seen to be fit for';
    $h->{db}->login('podi_worker')->all(undef, 'select sys.comfy_seen_put(?)',
        JSON::PP::encode_json({ server => 's1', ok => JSON::PP::true, nodes => {
            LoadImage => { required => ['image'] },
            SaveImage => { required => ['images'] } } }));
    is_deeply $apply->(), [0, 's1 same', 's2 same', 'flip same', 'flip published'],
              'which follows';
    my $before = $count->();
    is_deeply $apply->(), [0, 's1 same', 's2 same', 'flip same'], 'again';
    is $count->(), $before, 'changes nothing';

    $farm->{servers} = [{ server => 's1', url => 'http://10.0.0.1:8188', slots => 2 }];
    $farm->{workflows}[0]{idle_ms} = 5000;
    is_deeply $apply->(), [0, 's1 changed', 'flip changed', 'flip published'],
              'what changed is told';
    is_deeply [sort keys %{ list('server', qw(comfy server list)) }], [qw(s1 s2)],
              'what is not named stays';
    ctl(qw(comfy server drain s1));
    is_deeply $apply->('--prune'), [0, 's1 same', 'flip same', 's2 removed',
              'invert retired'], 'unless it is to go';
    is list('server', qw(comfy server list))->{s1}{state}, 'draining',
       'a server that was drained by hand stays so';

    my %bad = ('servers[0].url' => { servers => [{ server => 's3', url => 'x' }] },
               'servers[1].server' => { servers => [{ server => 's3',
                    url => 'http://a' }, { url => 'http://a' }] },
               'workflows[0].graph' => { workflows => [{ workflow => 'x' }] },
               'servers' => { servers => {} }, 'hosts' => { hosts => [] },
               'workflows[0]' => { workflows => ['x'] });
    for my $field (sort keys %bad) {
        my ($code, $text) = told(JSON::PP::encode_json($bad{$field}),
                                 qw(comfy apply -));
        is $code, 1, "refused at $field";
        like $text, qr{\Qfield $field,\E}, 'and said' or diag $text;
    }
    is_deeply [sort keys %{ list('server', qw(comfy server list)) }], ['s1'],
              'nothing of a file that is refused';

    delete $farm->{servers};
    $farm->{workflows} = [];
    is_deeply $apply->('--prune'), [0, 'flip retired'],
              'of what the file does not speak of nothing goes';
};

subtest 'who runs the installation' => sub {
    is list('slug', qw(tenant operator zoo on))->{zoo}{operator}, JSON::PP::true,
       'the admins of zoo';
    is list('slug', qw(tenant operator zoo off))->{zoo}{operator}, JSON::PP::false,
       'not any more';
    is +(ctl(qw(tenant operator zoo maybe)))[0], 1, 'on or off';
    is +(ctl(qw(tenant operator nobody on)))[0], 1, 'a tenant that is there';
    is_deeply [map { $_->{detail} } @{ $h->{db}->super->all(undef,
                  q{select detail ->> 'operator' as detail from podi.operator_audit}
                  . q{ where verb = 'tenant.operator' order by audit_id}) }],
              [qw(true false)], 'written down';
};

subtest 'help' => sub {
    my ($code, $all) = ctl('--help');
    is $code, 0, 'is no failure';
    my @said = $all =~ /^  (\w+(?: \w+)*): (.*)$/mg;
    my %what = @said;
    cmp_ok scalar keys %what, '>=', 20, 'every command';
    is_deeply [ grep { !length $what{$_} } sort keys %what ], [],
        'with a sentence';
    for my $words ([qw(help price)], [qw(price --help)], [qw(price put -h)]) {
        ($code, my $some) = ctl(@$words);
        is $code, 0, "@$words";
        like $some, qr/^  price put: .*\n      --file /m, 'with its options';
        unlike $some, qr/^  plan/m, 'and nothing else';
    }
    my $some = (ctl(qw(comfy server --help)))[1];
    like $some, qr/^  comfy server drain: /m, 'of a verb of two words';
    unlike $some, qr/^  comfy workflow/m, 'and not of another one';
    is +(ctl(qw(help house)))[0], 2, 'of nothing there is';
    is Podi::Pg::run_quiet($bin, qw(help invariants)) =~ /^  invariants: /m, 1,
        'without settings';
};

subtest 'words that are not understood' => sub {
    is((ctl())[0], 2, 'none');
    is((ctl(qw(wallet steal)))[0], 2, 'a wrong verb');
    is((ctl(qw(tenant create --slug a --name b --colour c)))[0], 2,
        'a wrong option');
    is((ctl(qw(tenant create a b c)))[0], 2, 'one too many');
};

subtest 'a database that is not there' => sub {
    conf(pg => "host=$h->{dir} dbname=x user=podi_ctl");
    is((ctl('invariants'))[0], 3, 'is told apart');
};

subtest 'Redis that is not there' => sub {
    conf(redis => "$h->{dir}/no.sock");
    is((ctl(qw(wallet grant acme ann 5 --ref no-redis)))[0], 0,
        'hinders nothing');
};

subtest 'the settings' => sub {
    my $check = sub {
        my ($text, $daemon) = @_;
        open my $file, '>', $conf or die "$conf: $!";
        print {$file} $text;
        close $file;
        my $said = Podi::Pg::run_quiet(
            "$h->{build}/bin/" . ($daemon // 'podi_janitord'), '-c', $conf, '-t');
        return ($? >> 8) . " $said";
    };
    my $pg = "[common]\npg = host=/x\n";

    like $check->($pg), qr/^0 .*is fine/, 'that are right';
    like $check->("$pg [podi_janitord]\nlaese = 1s\n"),
        qr/^1 .*:4: there is no setting "laese"/, 'a name that is none';
    like $check->("${pg}lease = 12\n"), qr/^1 .*:3: .*write a time/, 'no unit';
    like $check->("${pg}lease = 1s\nbeat = 1s\n"), qr/^1 .*half of lease/,
        'a beat that is too slow';
    like $check->("${pg}[podi_dispatchd]\nwatch = 3s\n", 'podi_dispatchd'),
        qr/^1 .*patience is less than two times watch/, 'looks too rare';
    like $check->("[common]\nlease = 12s\n"), qr/^1 .*pg = "".*must be given/,
        'what must be given';
    like $check->("${pg}log = here\n"), qr/^1 .*absolute path/, 'a path';
    like $check->("${pg}[jaintor]\n"), qr/^1 .*:3: no daemon/, 'a section';
    like $check->("pg = x\n"), qr/^1 .*:1: write \[common\]/, 'no section';
    like $check->("${pg}log = \${NO_SUCH_VARIABLE}/x\n"),
        qr/^1 .*the environment has no NO_SUCH_VARIABLE/, 'the environment';
    local $ENV{PODI_VAR} = '/var/x';
    like $check->("${pg}log = \${PODI_VAR}/x # here\n"), qr/^0 /,
        'that is there';
    like $check->("${pg}[podi_else]\nany = thing\n"), qr/^0 /,
        'sections of others are theirs';
};

$h->whole;
done_testing;
