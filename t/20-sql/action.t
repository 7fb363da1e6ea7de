# What may be asked: api.action_list and sys.action_put.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $seed = $db->super->all(undef, 'select action, outputs from podi.action'
                           . ' order by action');
my $w = Podi::Work->new($db);
my $ctl = $db->login('podi_ctl');
my $put = 'select * from sys.action_put(?)';


sub actions
{
    return { map { $_->{action} => $_ } @{ Podi::Work::decode(@{
        $w->{web}->all($db->anon($w->{tenant}),
                       'select * from api.action_list()') }) } };
}


subtest 'the seed says all that a form needs' => sub {
    my $a = actions();

    is_deeply [sort keys %$a],
              [qw(image.convert image.montage image.resize
                  image.thumbnail)],
              'four for everybody; the check of uploads is not one';
    is_deeply [map { $a->{"image.$_"}{price} } qw(resize convert thumbnail)],
              [2, 1, 1], 'their prices';
    is_deeply { map { $_->{action} => $_->{outputs} } @$seed },
              { (map { ("image.$_" => 1) } qw(convert montage resize thumbnail)),
                'media.check' => 0 }, 'each makes something but the check';
    is_deeply $a->{'image.resize'}{any_of}, ['width', 'height'],
              'one of these is wanted';
    for my $name (sort keys %$a) {
        my $params = $a->{$name}{params};
        for my $p (sort keys %$params) {
            ok $params->{$p}{label}{zh} && $params->{$p}{label}{en}
               && $params->{$p}{type}, "$name $p has a type and labels";
        }
    }
};

subtest 'the operator changes what is given' => sub {
    my $r = $ctl->one(undef, $put, '{"action": "image.resize", "price": 7}');
    is_deeply [@{$r}{qw(action is_new)}], ['image.resize', 0], 'changed';
    my $a = actions()->{'image.resize'};
    is $a->{price}, 7, 'the price';
    is $a->{params}{width}{maximum}, 8192, 'and nothing else';

    $ctl->all(undef, $put, '{"action": "image.resize", "state": "disabled"}');
    ok !actions()->{'image.resize'}, 'a disabled action is not offered';
    my $ann = $w->person('ann', 10);
    $w->{web}->refused('U0430', $db->as($ann), $w->submit_call(
        inputs => [$w->media($ann)], actions => ['resize']), 'nor taken');
};

subtest 'an action of its own' => sub {
    my %new = (action => 'image.invert', queue => 'image', price => 3,
               label => { zh => '反色', en => 'Invert' },
               description => { zh => '反色', en => 'Invert' },
               accepts => ['image/png'], timeout_ms => 5000,
               max_wait_ms => 60_000);

    ok $ctl->one(undef, $put, Podi::Work::text(\%new))->{is_new}, 'is new';
    is actions()->{'image.invert'}{price}, 3, 'and offered';
    ok !$ctl->one(undef, $put, '{"action": "image.invert", "cost": 7}')->{is_new},
       'a member that a later version added';
    is $db->super->value(undef, q{select cost from podi.action}
                         . q{ where action = 'image.invert'}), 7, 'is written';

    my %refused = (
        'an unknown member'       => ['U0422', { %new, colour => 1 }],
        'a schema that is no object'
                                  => ['23514', { %new, schema => { type => 'array' } }],
        'a price below nothing'   => ['23514', { %new, price => -1 }],
        'a price that 64 jobs cannot add up to'
                                  => ['23514', { %new, price => 1_000_000_000_000_001 }],
        'no number of inputs'     => ['23514', { %new, inputs => {} }],
        'a name without a noun'   => ['23514', { %new, action => 'invert' }],
        'no price'                => ['23502', { %new, action => 'image.x',
                                                 price => undef }],
    );
    for my $name (sort keys %refused) {
        my ($state, $action) = @{ $refused{$name} };
        $ctl->refused($state, undef, $put, Podi::Work::text($action), $name);
    }
};

subtest 'a price that changes leaves tasks as they were agreed' => sub {
    my $ben = $w->person('ben', 10);
    my $t = $w->submit($ben, inputs => [$w->media($ben)],
                       actions => ['convert']);

    $ctl->all(undef, $put, '{"action": "image.convert", "price": 9}');
    my $s = $w->settle($w->claim_task($t)->[0], 'succeeded');
    is $s->{_events}[0]{data}{charged}, 1, 'the agreed price is charged';
};

subtest 'a schema says nothing that is not checked' => sub {
    my %bad = (
        '.oneOf'                  => { oneOf => [{}] },
        '.properties.a.format'    => { properties => { a => { format => 'date' } } },
        '.properties.a.type'      => { properties => { a => { type => 'int' } } },
        '.properties.a.pattern'   => { properties => { a => { pattern => '(' } } },
        '.properties.a.multipleOf' => { properties => { a => { multipleOf => 0 } } },
        '.items.minimum'          => { items => { minimum => 'low' } },
        '.anyOf[1].required'      => { anyOf => [{}, { required => 'a' }] },
        '.$ref'                   => { '$ref' => 'https://example.org/s' },
        '.$defs.x'                => { '$defs' => { x => 3 } },
    );
    for my $path (sort keys %bad) {
        my $e = $ctl->refused('U0422', undef, $put, Podi::Work::text({
            action => 'image.invert', schema => { type => 'object',
                                                  %{ $bad{$path} } } }),
            "refused for $path");
        is JSON::PP::decode_json($e->{detail})->{field}, "schema$path",
           '... which is named';
    }
};

subtest 'segments are parts of a price' => sub {
    my $one = { name => 'a', percent => 50 };
    my %bad = (
        'segments'            => [{}, [$one], [$one, { name => 'b', percent => 51 }],
                                  [map { { name => "n$_", percent => 1 } } 1 .. 101]],
        'segments[0]'         => [['a'], [{ %$one, more => 1 }]],
        'segments[1]'         => [[$one, 7]],
        'segments[0].name'    => [[{ percent => 100 }], [{ %$one, name => '' }],
                                  [{ %$one, name => 'a b' }], [{ %$one, name => 1 }]],
        'segments[1].name'    => [[$one, $one]],
        'segments[0].percent' => [[{ name => 'a' }],
                                  map { [{ name => 'a', percent => $_ }] }
                                  0, -1, 101, 33.5, '50'],
    );
    for my $field (sort keys %bad) {
        for my $segments (@{ $bad{$field} }) {
            my $text = Podi::Work::text({ action => 'image.invert',
                                          segments => $segments });
            my $e = $ctl->refused('U0422', undef, $put, $text,
                                  'refused: ' . substr $text, 0, 60);
            is JSON::PP::decode_json($e->{detail} // '{}')->{field}, $field,
               '... which is named';
        }
    }
    for my $segments ([$one, { name => 'b', percent => 50 }],
                      [{ name => 'all', percent => 100 }], []) {
        ok $ctl->one(undef, $put, Podi::Work::text({ action => 'image.invert',
            segments => $segments })), @$segments . ' that add up';
    }
};

subtest 'a mock that waited until this is no sandbox any more' => sub {
    my $ann = $w->person('mocker', 100);
    my $is = sub { $db->super->run("update podi.setting set value = '$_[0]'"
                                   . " where setting = 'sandbox'") };
    my $executor = sub { $w->{worker}->one(undef,
        'select executor from sys.job_executor(?, ?)',
        @{ $_[0] }{qw( job_id fence )})->{executor} };

    $is->('true');
    $ctl->one(undef, $put, Podi::Work::text({ action => 'image.thumbnail',
        executor => { kind => 'mock', mock => 'ok' } }));
    my $t = $w->submit($ann, inputs => [$w->media($ann)],
                       actions => ['thumbnail']);
    my $job = $w->claim_task($t, worker => 'r1')->[0];

    like $executor->($job), qr/"mock"/, 'is one there';
    $is->('false');
    is $executor->($job), '{}', 'and nothing elsewhere';
    $w->settle($job, 'failed', code => 'config');
    is $w->wallet($ann)->[0], 100, 'so nobody pays';
};

subtest 'what a job of ComfyUI does instead has a form' => sub {
    my $with = sub { Podi::Work::text({ action => 'image.invert',
        state => 'disabled', executor => { kind => 'comfy', workflow => 'x',
                                           @_ } }) };
    my %bad = (
        ''          => [{}, 7, { when => ['memory'] }, { wait => 5 },
                        { provider => 'fal' }, { operation => 'x' },
                        { provider => 'fal', operation => 'x', labels => ['a'] }],
        '.when'     => [map { { set => {}, when => $_ } } [], 'memory',
                        ['quota'], [('busy') x 5]],
        '.after'    => [{ set => {}, after => 5 }, { set => {}, after => 5,
                        when => ['memory'] }, { set => {}, after => 0,
                        when => ['busy'] }],
        '.workflow' => [{ workflow => 'A b' }],
        '.labels'   => [{ labels => [] }],
        '.set'      => [{ set => [] }],
        '.provider' => [{ provider => 'F', operation => 'x' }],
    );

    for my $field (sort keys %bad) {
        for my $entry (@{ $bad{$field} }) {
            my $e = $ctl->refused('U0422', undef, $put,
                $with->(fallback => [{ set => {} }, $entry]), 'refused');
            is JSON::PP::decode_json($e->{detail} // '{}')->{field},
                "executor.fallback[1]$field", '... which is named';
        }
    }
    my $e = $ctl->refused('U0422', undef, $put, $with->(set => 7), 'set');
    is JSON::PP::decode_json($e->{detail})->{field}, 'executor.set', '... too';
    $ctl->one(undef, 'select * from sys.comfy_workflow_put(?)',
        Podi::Work::text({ workflow => 'x', mapping => {
            outputs => [{ node => '1' }] }, graph => { 1 => {
            class_type => 'A', inputs => {} } } }));
    $e = $ctl->refused('U0422', undef, $put,
        $with->(fallback => [{ workflow => 'y' }]), 'no such workflow');
    is JSON::PP::decode_json($e->{detail})->{field}, 'executor.fallback',
        '... nor there';
};

subtest 'only the operator writes' => sub {
    for my $role (qw(podi_web podi_worker)) {
        $db->login($role)->refused('42501', undef, $put, '{}', $role);
    }
};

$db->whole;
done_testing;
