# /v1/admin: servers, workflows and keys, by the people of the operator and by
# nobody else.

use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Podi::Stack;
use Podi::Work;

my $s = Podi::Stack->new->start;
my $json = JSON::PP->new->canonical;
my $ann = $s->member('annie');
my $root = admin($s, 'rooty');
my ($servers, $flows, $keys) = map { "/v1/admin/$_" }
                               qw(comfy/servers comfy/workflows providers/keys);
my %graph = (
    1 => { class_type => 'LoadImage', inputs => { image => 'x.png' } },
    4 => { class_type => 'CheckpointLoaderSimple',
           inputs => { ckpt_name => 'sdxl.safetensors' } },
    9 => { class_type => 'SaveImage', inputs => { images => ['1', 0] } },
);
my %flow = (graph => \%graph, mapping => {
    inputs => [{ node => '1', input => 'image' }], outputs => [{ node => '9' }] });

$s->{db}{ctl} //= $s->db->login('podi_ctl');
my $worker = $s->db->login('podi_worker');


# an admin of a tenant, by his row and by his token
sub admin
{
    my ($stack, $login) = @_;
    my $who = $stack->member($login, claims => { rol => 'admin' });

    $stack->sql(q{update podi.users set role = 'admin' where user_id = ?},
                $who->{user_id});
    return $who;
}


sub ask
{
    my ($method, $target, $body) = @_;

    return $s->request($method, $target, as => $root,
                       defined $body ? (json => $body) : ());
}


# status and field of a refusal
sub refused
{
    my $res = ask(@_);

    return join ' ', $res->status, $res->code, $res->json->{field} // '-';
}


sub operator
{
    $s->db->{ctl}->one(undef, 'select * from sys.tenant_operator(?, ?)',
                       'demo', @_);
}


# verbs of the audit, and whose they are
sub audit
{
    return [map { "$_->{verb} $_->{who}" } $s->sql(
        q{select verb, coalesce(u.login, 'nobody') as who}
        . ' from podi.operator_audit a left join podi.users u'
        . ' on (u.tenant_id, u.user_id) = (a.by_tenant, a.by_user)'
        . ' order by audit_id')];
}


sub seen
{
    $worker->one(undef, 'select sys.comfy_seen_put(?)',
                 Podi::Work::text({ server => 'gpu-1', ok => JSON::PP::true, @_ }));
}


subtest 'who may' => sub {
    my @all = ([GET => $servers], [GET => "$servers/gpu-1"],
        [PUT => "$servers/gpu-1", {}], [DELETE => "$servers/gpu-1"],
        (map { [POST => "$servers/gpu-1/$_"] } qw(drain enable disable)),
        [GET => $flows], [GET => "$flows/x"], [PUT => "$flows/x", {}],
        [POST => "$flows/x/versions/1/publish"], [GET => $keys],
        [POST => "$keys/" . $s->db->uuid . '/disable']);
    my $status = sub {
        my ($who) = @_;
        return { map { $s->request($_->[0], $_->[1], ($who ? (as => $who) : ()),
                     $_->[2] ? (json => $_->[2]) : ())->status => 1 } @all };
    };

    is_deeply $status->(), { 401 => 1 }, 'not a stranger';
    is_deeply $status->($ann), { 403 => 1 }, 'not a user';
    is_deeply $status->($root), { 403 => 1 }, 'not an admin of a tenant';
    operator(1);
    is_deeply $status->($ann), { 403 => 1 }, 'not a user of the operator';
    is ask(GET => $servers)->status, 200, 'an admin of the operator';
    is_deeply [map { scalar grep { $_ eq 'operator.admin' }
                     @{ $s->get('/v1/me', as => $_)->json->{permissions} } }
               $root, $ann], [1, 0], 'as a page may know';
    $s->sql(q{update podi.users set role = 'user' where user_id = ? returning 1},
            $root->{user_id});
    is_deeply $status->($root), { 403 => 1 }, 'who is admin by his token alone';
    $s->sql(q{update podi.users set role = 'admin' where user_id = ? returning 1},
            $root->{user_id});
    operator(0);
    is_deeply $status->($root), { 403 => 1 }, 'nobody when it is so no more';
    operator(1);
    is_deeply audit(), [('tenant.operator nobody') x 3], 'and that is all';
};

subtest 'servers' => sub {
    my %card = (url => 'http://10.0.0.7:8188', labels => ['sdxl'], slots => 2);

    is_deeply ask(GET => $servers)->json, { items => [], next => undef }, 'none';
    is refused(GET => "$servers/gpu-1"), '404 not_found -', 'none of that name';
    my $res = ask(PUT => "$servers/gpu-1", \%card);
    is $res->status, 201, 'a new one';
    my $one = $res->json;
    is_deeply [@{$one}{qw(server url state slots prefetch up jobs seen)}],
              ['gpu-1', $card{url}, 'active', 2, 1, JSON::PP::false, 0, undef],
              'is as it was said';
    is ask(PUT => "$servers/gpu-1", \%card)->status, 200, 'again';
    is_deeply ask(GET => "$servers/gpu-1")->json, $one, 'changes nothing';

    my %bad = (
        url => [{}, { url => 'ftp://a' }, { url => 3 }, { %card, url => undef }],
        slots => [{ %card, slots => 65 }, { %card, slots => '2' }],
        labels => [{ %card, labels => 'a' }, { %card, labels => [[1]] }],
        colour => [{ %card, colour => 1 }], server => [{ %card, server => 'b' }],
        'auth.headers.Authorization' =>
            [{ %card, auth => { headers => { Authorization => 'none' } } }],
    );
    for my $field (sort keys %bad) {
        is refused(PUT => "$servers/gpu-1", $_), "422 bad_field $field",
           'refused: ' . $json->encode($_) for @{ $bad{$field} };
    }
    is refused(PUT => "$servers/gpu.1", \%card), '422 bad_field server', 'an odd name';
    is refused(PUT => "$servers/GPU", \%card), '404 not_found -', 'no name at all';
    is $s->request('PUT', "$servers/gpu-1", as => $root, body => '[]',
                   headers => { 'Content-Type' => 'application/json' })->code,
       'bad_json', 'no object';

    seen(version => '0.3.75', queue_remaining => 4, nodes => { A => {}, B => {} },
         models => { ckpt_name => ['a.safetensors', 'b.safetensors'],
                     checkpoints => ['a.safetensors'] });
    my $now = ask(GET => $servers)->json->{items}[0];
    ok $now->{up}, 'it was seen';
    is_deeply [@{ $now->{seen} }{qw(ok version queue_remaining nodes models fault)}],
              [JSON::PP::true, '0.3.75', 4, 2, 2, undef], 'and what of it';
    $s->sql(q{update podi.comfy_seen set at = at - interval '3 minutes' returning 1});
    ok !ask(GET => "$servers/gpu-1")->json->{up}, 'long ago is not now';

    is ask(PUT => "$servers/gpu-1", { url => $card{url},
           updated_at => $now->{updated_at} })->json->{slots}, 1,
       'what is not said is as of a new one';
    is refused(PUT => "$servers/gpu-1", { %card, updated_at => $now->{updated_at} }),
       '409 conflict updated_at', 'who read it before that is told so';
    is ask(POST => "$servers/gpu-1/$_->[0]")->json->{state}, $_->[1], $_->[0]
        for [drain => 'draining'], [drain => 'draining'], [enable => 'active'];
    is refused(POST => "$servers/none/drain"), '404 not_found -', 'none to be drained';
    is refused(DELETE => "$servers/gpu-1"), '409 conflict -', 'one that works stays';

    ask(PUT => "$servers/gpu-$_", \%card) for 2, 3;
    my $page = ask(GET => "$servers?limit=2")->json;
    is_deeply [$page->{next}, map { $_->{server} } @{ $page->{items} }],
              [qw(gpu-2 gpu-1 gpu-2)], 'a page';
    $page = ask(GET => "$servers?limit=2&after=$page->{next}")->json;
    is_deeply [$page->{next}, map { $_->{server} } @{ $page->{items} }],
              [undef, 'gpu-3'], 'and the last';
    is refused(GET => "$servers?limit=0"), '422 bad_field limit', 'no page';
    is refused(GET => "$servers?page=2"), '422 bad_field page', 'no such parameter';

    ask(POST => "$servers/gpu-3/disable");
    is ask(PUT => "$servers/gpu-3", \%card)->json->{state}, 'disabled',
       'a change enables nothing';
    is ask(DELETE => "$servers/gpu-3")->status, 204, 'one that is disabled goes';
    is refused(DELETE => "$servers/gpu-3"), '404 not_found -', 'once';
    is_deeply [grep { !/ rooty$/ } @{ audit() }], [('tenant.operator nobody') x 3],
              'he did it all';
    is scalar(grep { /^comfy_server/ } @{ audit() }), 8,
       'and what changed something is written down';
};

subtest 'workflows' => sub {
    is_deeply ask(GET => $flows)->json, { items => [], next => undef }, 'none';
    my $res = ask(PUT => "$flows/invert", \%flow);
    is $res->status, 201, 'a version';
    is_deeply $res->json, { workflow => 'invert', version => 1, state => 'draft',
                            is_new => JSON::PP::true }, 'is a draft';
    is ask(PUT => "$flows/invert", \%flow)->status, 200, 'again: the same one';
    is refused(PUT => "$flows/x", { %flow, mapping => { outputs => [{ node => '7' }] } }),
       '422 bad_field mapping.outputs[0]', 'a place that is not there';
    is refused(PUT => "$flows/x", { graph => { nodes => [] }, mapping => {} }),
       '422 bad_field graph.nodes', 'no API format';
    is refused(PUT => "$flows/x", { %flow, workflow => 'y' }),
       '422 bad_field workflow', 'two names';

    my $publish = "$flows/invert/versions/1/publish";
    my %has = (LoadImage => { required => ['image'] },
               SaveImage => { required => ['images'] });
    $s->sql('delete from podi.comfy_seen returning 1');
    is refused(POST => $publish), '422 bad_field server', 'nobody was seen';
    seen(nodes => \%has, models => {});
    is refused(POST => $publish), '422 bad_field graph.4.class_type', 'a node is missing';
    $has{CheckpointLoaderSimple} = { required => ['ckpt_name'] };
    seen(nodes => \%has, models => { ckpt_name => ['flux.safetensors'] });
    is refused(POST => $publish), '422 bad_field graph.4.inputs.ckpt_name',
       'a model is missing';
    seen(nodes => \%has, models => { ckpt_name => ['sdxl.safetensors'] });
    is_deeply ask(POST => $publish)->json, { workflow => 'invert', version => 1,
              server => 'gpu-1', retired => undef }, 'then it is live';
    is ask(POST => $publish)->status, 200, 'again';
    is refused(POST => "$flows/invert/versions/$_/publish"), '404 not_found -',
       "no version $_" for 2, 0, 'x', '99999999999';
    is refused(POST => "$flows/none/versions/1/publish"), '404 not_found -',
       'no workflow';

    is ask(PUT => "$flows/invert", { %flow, idle_ms => 5000 })->json->{version}, 2,
       'another version';
    my $list = ask(GET => $flows)->json->{items}[0];
    is_deeply [@{$list}{qw(workflow live newest actions)},
               map { "$_->{version} $_->{state}" } @{ $list->{versions} }],
              ['invert', 1, 2, [], '2 draft', '1 live'], 'the list';
    is ask(GET => "$flows/invert")->json->{idle_ms}, 300000, 'the live one is read';
    my $two = ask(GET => "$flows/invert?version=2")->json;
    is $two->{idle_ms}, 5000, 'or another';
    is_deeply $two->{graph}, \%graph, 'whole';
    is refused(GET => "$flows/invert?version=3"), '404 not_found -', 'if it is there';
    is refused(GET => "$flows/invert?version=x"), '422 bad_field version', 'a number';
    is_deeply [grep { /^comfy_workflow/ } @{ audit() }],
              ['comfy_workflow.put rooty', 'comfy_workflow.publish rooty',
               'comfy_workflow.put rooty'], 'written down';
};

subtest 'keys' => sub {
    my @id = map { $s->db->uuid } 1, 2;
    my $add = 'select * from sys.provider_key_add(?, ?, ?, ?, decode(?, ?))';
    my $secret = 'ab' x 40;

    $s->db->{ctl}->one(undef, $add, $id[$_], 'fal', "key$_", '01234567', $secret,
                       'hex') for 0, 1;
    my $res = ask(GET => $keys);
    is_deeply [map { "$_->{provider} $_->{name} $_->{state}" } @{ $res->json->{items} }],
              ['fal key1 active', 'fal key0 active'], 'the newest first';
    unlike $res->body, qr/abab|sealed/, 'never what is in them';
    my $page = ask(GET => "$keys?limit=1")->json;
    is ask(GET => "$keys?limit=1&after=$page->{next}")->json->{items}[0]{key_id},
       $id[0], 'page by page';

    my $off = "$keys/$id[0]/disable";
    is ask(POST => $off)->json->{state}, 'disabled', 'disabled';
    my $at = ask(POST => $off)->json->{disabled_at};
    ok $at, 'again';
    $s->db->{ctl}->one(undef, $add, $s->db->uuid, 'fal', 'key0', '01234567',
                       $secret, 'hex');
    is ask(POST => $off)->json->{disabled_at}, $at, 'not the next of its name';
    is $s->sql(q{select count(*) from podi.provider_key where state = 'active'}), 2,
       'which stays';
    is refused(POST => "$keys/" . $s->db->uuid . '/disable'), '404 not_found -', 'none';
    is scalar(grep { $_ eq 'provider_key.disable rooty' } @{ audit() }), 1,
       'written down';
};

$s->done;
done_testing;
