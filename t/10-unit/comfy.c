/*
 * podi_comfy: graphs and the prompts that are made of them.
 */

#include "tap.h"
#include "podi_comfy.h"
#include "banned.h"


#define GRAPH                                                                \
    "{\"1\":{\"class_type\":\"LoadImage\",\"inputs\":{\"image\":\"x.png\"}},"\
    "\"2\":{\"class_type\":\"CLIPTextEncode\",\"inputs\":{\"text\":\"old\","\
    "\"clip\":[\"4\",1]}},"                                                  \
    "\"3\":{\"class_type\":\"KSampler\",\"inputs\":{\"seed\":1,\"steps\":20,"\
    "\"cfg\":7.5,\"tiled\":false,\"positive\":[\"2\",0]}},"                  \
    "\"4\":{\"class_type\":\"CheckpointLoaderSimple\",\"inputs\":{"          \
    "\"ckpt_name\":\"base.safetensors\"}},"                                  \
    "\"9\":{\"class_type\":\"SaveImage\",\"inputs\":{\"images\":[\"3\",0],"  \
    "\"filename_prefix\":\"ComfyUI\"}}}"

#define MAPPING                                                              \
    "{\"params\":{"                                                          \
    "\"text\":[{\"node\":\"2\",\"input\":\"text\",\"type\":\"string\"}],"    \
    "\"steps\":[{\"node\":\"3\",\"input\":\"steps\",\"type\":\"integer\"}]," \
    "\"cfg\":[{\"node\":\"3\",\"input\":\"cfg\",\"type\":\"number\"}],"      \
    "\"tiled\":[{\"node\":\"3\",\"input\":\"tiled\",\"type\":\"boolean\"}],"\
    "\"model\":[{\"node\":\"4\",\"input\":\"ckpt_name\","                    \
    "\"type\":\"string\"}]},"                                                \
    "\"inputs\":[{\"node\":\"1\",\"input\":\"image\"}],"                     \
    "\"seed\":[{\"node\":\"3\",\"input\":\"seed\"}],"                        \
    "\"outputs\":[{\"node\":\"9\"}]}"


static podi_mem_t  *mem;


static json_t *
json(const char *text)
{
    json_t  *value = json_loads(text, JSON_DECODE_ANY, NULL);

    if (podi_json_own(mem, value) != PODI_OK) {
        printf("Bail out! %s\n", text);
        exit(1);
    }

    return value;
}


static podi_rc_t
prompt_of(const char *graph, const char *mapping, const char *params,
    const char *input, json_t **ret_prompt, podi_fail_t *fail)
{
    podi_rc_t         rc;
    json_t           *body;
    podi_str_t        text, name = podi_str_c(input);
    podi_comfy_job_t  job;

    memset(&job, 0, sizeof(job));
    job.graph = json(graph);
    job.mapping = json(mapping);
    job.params = params ? json(params) : NULL;
    job.inputs = &name;
    job.inputs_n = input != NULL;
    job.prompt_id = str("018f0000-0000-7000-8000-000000000001");
    job.client_id = input != NULL ? str("c1") : str("");
    job.prefix = str("podi/a1/out");
    job.seed = 4294967295u;

    rc = podi_comfy_prompt(&job, mem, &text, fail);
    if (rc != PODI_OK) {
        return rc;
    }

    body = json((const char *) text.data);
    *ret_prompt = json_object_get(body, "prompt");

    name = input != NULL ? job.client_id : job.prompt_id;
    ok(json_object_size(body) == 3 && *ret_prompt != NULL
       && podi_str_eq_c(&name, json_string_value(json_object_get(body,
                                                        "client_id")))
       && json_object_get(body, "prompt_id") != NULL,
       "a prompt is sent with its ids, and nothing else");

    return rc;
}


static json_t *
input_of(const json_t *prompt, const char *node, const char *name)
{
    return json_object_get(json_object_get(json_object_get(prompt, node),
                                           "inputs"), name);
}


static void
is_input(const json_t *prompt, const char *node, const char *name,
    const char *want, const char *what)
{
    char    *got;
    json_t  *value = input_of(prompt, node, name);

    got = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    ok(got != NULL && strcmp(got, want) == 0, "%s: %s", what,
       got ? got : "none");
    free(got);
}


static void
test_apply(void)
{
    json_t       *prompt = NULL;
    podi_fail_t   fail;

    ok(prompt_of(GRAPH, MAPPING,
                 "{\"text\":\"\\\"],\\\"9\\\":{} ../x [output]\\n\","
                 "\"steps\":\"30\",\"cfg\":4,\"tiled\":true,"
                 "\"model\":null,\"other\":\"zzz\"}",
                 "podi/a1/in.png", &prompt, &fail) == PODI_OK,
       "parameters are applied");

    is_input(prompt, "2", "text",
             "\"\\\"],\\\"9\\\":{} ../x [output]\\n\"",
             "a text is but a string");
    is_input(prompt, "3", "steps", "30", "digits are an integer");
    is_input(prompt, "3", "cfg", "4", "a number");
    is_input(prompt, "3", "tiled", "true", "a boolean");
    is_input(prompt, "3", "seed", "4294967295", "a seed of our own");
    is_input(prompt, "4", "ckpt_name", "\"base.safetensors\"",
             "null leaves what is there");
    is_input(prompt, "1", "image", "\"podi/a1/in.png\"", "the upload");
    is_input(prompt, "9", "filename_prefix", "\"podi/a1/out\"",
             "files have a prefix of their own");
    is_input(prompt, "9", "images", "[\"3\",0]", "links stay");
    is_int((long long) json_object_size(prompt), 5, "no node is added");

    ok(prompt_of(GRAPH, MAPPING, "{\"seed\":7}", "a/in.png", &prompt, &fail)
       == PODI_OK, "a seed may be given");
    is_input(prompt, "3", "seed", "7", "it is used");
    ok(prompt_of(GRAPH, MAPPING, "{\"seed\":\"8\"}", "a/in.png", &prompt,
                 &fail) == PODI_OK, "as a text, too");
    is_input(prompt, "3", "seed", "8", "which is the number");
    ok(prompt_of(GRAPH, MAPPING, "{\"seed\":9.0}", "a/in.png", &prompt, &fail)
       == PODI_OK, "or as a number without a fraction");
    is_input(prompt, "3", "seed", "9", "which is the same");

    ok(prompt_of(GRAPH, MAPPING, NULL, "a/in.png", &prompt, &fail) == PODI_OK,
       "a job without parameters");
    is_input(prompt, "3", "steps", "20", "has those of the graph");
}


static void
test_types(void)
{
    size_t        i;
    json_t       *prompt;
    podi_fail_t   fail;

    static const struct {
        const char  *params;
        const char  *input;         /* of node 3 or 2; NULL: refused */
        const char  *want;
    } cases[] = {
        { "{\"steps\":3.0}", "steps", "3" },
        { "{\"steps\":-4}", "steps", "-4" },
        { "{\"steps\":9223372036854775807}", "steps", "9223372036854775807" },
        { "{\"steps\":3.5}", NULL, "params.steps" },
        { "{\"steps\":1e300}", NULL, "params.steps" },
        { "{\"steps\":\"3x\"}", NULL, "params.steps" },
        { "{\"steps\":\"\"}", NULL, "params.steps" },
        { "{\"steps\":true}", NULL, "params.steps" },
        { "{\"steps\":[\"1\",0]}", NULL, "params.steps" },
        { "{\"cfg\":\"1.25\"}", "cfg", "1.25" },
        { "{\"cfg\":\"-2e1\"}", "cfg", "-20.0" },
        { "{\"cfg\":\"1],[2\"}", NULL, "params.cfg" },
        { "{\"cfg\":\"0x10\"}", NULL, "params.cfg" },
        { "{\"cfg\":\"NaN\"}", NULL, "params.cfg" },
        { "{\"cfg\":\"1e999\"}", NULL, "params.cfg" },
        { "{\"cfg\":false}", NULL, "params.cfg" },
        { "{\"tiled\":\"false\"}", "tiled", "false" },
        { "{\"tiled\":1}", NULL, "params.tiled" },
        { "{\"text\":5}", NULL, "params.text" },
        { "{\"text\":[\"1\",0]}", NULL, "params.text" },
        { "{\"text\":{\"a\":1}}", NULL, "params.text" },
        { "{\"seed\":-1}", NULL, "params.seed" },
        { "{\"seed\":1.5}", NULL, "params.seed" },
        { "{\"seed\":\"x\"}", NULL, "params.seed" },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        prompt = NULL;
        memset(&fail, 0, sizeof(fail));

        if (cases[i].input == NULL) {
            is_fail(prompt_of(GRAPH, MAPPING, cases[i].params, "a.png",
                              &prompt, &fail), &fail, PODI_E_BAD_FIELD,
                    cases[i].want, cases[i].params);
            continue;
        }

        ok(prompt_of(GRAPH, MAPPING, cases[i].params, "a.png", &prompt, &fail)
           == PODI_OK, "%s is taken", cases[i].params);
        is_input(prompt, "3", cases[i].input, cases[i].want, "as");
    }
}


static void
test_long(void)
{
    char         *text;
    json_t       *prompt;
    podi_fail_t   fail;

    text = podi_mem_calloc(mem, PODI_COMFY_TEXT_MAX + 32);
    memcpy(text, "{\"text\":\"", 9);
    memset(text + 9, 'a', PODI_COMFY_TEXT_MAX + 1);
    memcpy(text + 9 + PODI_COMFY_TEXT_MAX + 1, "\"}", 3);

    is_fail(prompt_of(GRAPH, MAPPING, text, "a.png", &prompt, &fail), &fail,
            PODI_E_BAD_FIELD, "params.text", "a text has a bound");

    memcpy(text + 9 + PODI_COMFY_TEXT_MAX, "\"}", 3);
    ok(prompt_of(GRAPH, MAPPING, text, "a.png", &prompt, &fail) == PODI_OK,
       "up to the bound it is taken");
}


static void
test_files(void)
{
    size_t        i;
    json_t       *prompt;
    podi_fail_t   fail;

    static const char *const  names[] = {
        "", "../x.png", "a/../x.png", "/etc/passwd", "x.png [output]",
        "a\\b.png", "C:x.png", "a//b.png", "a/", ".hidden", "a\nb.png"
    };

    static const char *const  mappings[] = {
        "{\"params\":{\"p\":[{\"node\":\"1\",\"input\":\"image\","
        "\"type\":\"string\"}]}}",
        "{\"params\":{\"p\":[{\"node\":\"1\",\"input\":\"file_path\","
        "\"type\":\"string\"}]}}"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        is_fail(prompt_of(GRAPH, MAPPING, NULL, names[i], &prompt, &fail),
                &fail, PODI_E_BAD_FIELD, "inputs[0]",
                "a name that is no upload's is refused");
    }

    for (i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++) {
        is_fail(prompt_of(GRAPH, mappings[i], "{\"p\":\"in.png\"}", NULL,
                          &prompt, &fail),
                &fail, PODI_E_CONFIG, "params.p",
                "a text of a user is no file to be loaded");
    }

    is_fail(prompt_of(GRAPH, MAPPING, NULL, NULL, &prompt, &fail), &fail,
            PODI_E_BAD_FIELD, "inputs", "a picture that is missing");
    is_fail(prompt_of(GRAPH, "{\"outputs\":[{\"node\":\"9\"}]}", NULL, "a.png",
                      &prompt, &fail), &fail,
            PODI_E_BAD_FIELD, "inputs", "a picture that has no place");
    is_fail(prompt_of(GRAPH, "{\"params\":{\"p\":[{\"node\":\"3\","
                      "\"input\":\"positive\",\"type\":\"string\"}]}}",
                      "{\"p\":\"x\"}", NULL, &prompt, &fail), &fail,
            PODI_E_CONFIG, "params.p", "a link is no place");
    is_fail(prompt_of(GRAPH, "{\"params\":{\"p\":[{\"node\":\"77\","
                      "\"input\":\"a\",\"type\":\"string\"}]}}",
                      "{\"p\":\"x\"}", NULL, &prompt, &fail), &fail,
            PODI_E_CONFIG, "params.p", "a node that is not there is none");
    is_fail(prompt_of(GRAPH, "{\"params\":{\"p\":[{\"node\":\"9\",\"input\":"
                      "\"filename_prefix\",\"type\":\"string\"}]},"
                      "\"inputs\":[{\"node\":\"5\",\"input\":\"a\"}]}",
                      NULL, "a.png", &prompt, &fail), &fail,
            PODI_E_CONFIG, "inputs[0]", "nor for a picture");

    ok(prompt_of(GRAPH, "{\"params\":{\"p\":[{\"node\":\"9\",\"input\":"
                 "\"filename_prefix\",\"type\":\"string\"}]}}",
                 "{\"p\":\"../../x\"}", NULL, &prompt, &fail) == PODI_OK,
       "a prefix of a user");
    is_input(prompt, "9", "filename_prefix", "\"podi/a1/out\"",
             "is not where files go");

    ok(prompt_of("{\"1\":{\"class_type\":\"S\",\"inputs\":{"
                 "\"filename_prefix\":[\"2\",0]}},\"2\":{\"class_type\":"
                 "\"P\",\"inputs\":{\"value\":\"x\"}}}",
                 "{\"params\":{\"p\":[{\"node\":\"2\",\"input\":\"value\","
                 "\"type\":\"string\"}]}}",
                 "{\"p\":\"../../x\"}", NULL, &prompt, &fail) == PODI_OK,
       "a prefix that comes by a link");
    is_input(prompt, "1", "filename_prefix", "\"podi/a1/out\"",
             "is ours, too");
}


static void
test_graph(void)
{
    size_t       i;
    podi_fail_t  fail;

    static const struct {
        const char  *graph;
        const char  *field;
    } bad[] = {
        { "[]", "graph" },
        { "{}", "graph" },
        { "{\"nodes\":[{\"id\":1}],\"links\":[],\"version\":0.4}",
          "graph.nodes" },
        { "{\"1\":5}", "graph.1" },
        { "{\"1\":{\"inputs\":{}}}", "graph.1" },
        { "{\"1\":{\"class_type\":\"A\"}}", "graph.1" },
        { "{\"1\":{\"class_type\":\"A\",\"inputs\":{\"a\":[\"2\",0]}}}",
          "graph.1" },
        { "{\"1\":{\"class_type\":\"A\",\"inputs\":{\"a\":[\"1\"]}}}",
          "graph.1" },
        { "{\"1\":{\"class_type\":\"A\",\"inputs\":{\"a\":[\"1\",-1]}}}",
          "graph.1" },
        { "{\"1\":{\"class_type\":\"A\",\"inputs\":{\"a\":[\"1\",0.5]}}}",
          "graph.1" },
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        is_fail(podi_comfy_graph_check(json(bad[i].graph), &fail), &fail,
                PODI_E_CONFIG, bad[i].field, bad[i].graph);
    }

    ok(podi_comfy_graph_check(json(GRAPH), &fail) == PODI_OK, "a graph");
    is_int(podi_comfy_nodes(json(GRAPH)), 5, "it has so many nodes");
}


static void
test_needs(void)
{
    json_t             *needs;
    podi_str_t          body, what;
    podi_comfy_info_t   info;

    ok(podi_comfy_needs(json(GRAPH), mem, &needs) == PODI_OK, "needs");
    is_int((long long) json_array_size(json_object_get(needs, "nodes")), 5,
           "each class once");
    is_str(podi_json_str(json_array_get(json_object_get(needs, "models"), 0)),
           "base.safetensors", "the model");

    body = str("{\"LoadImage\":{\"input\":{\"required\":{"
               "\"image\":[[\"a.png\"],{}]}}},\"CLIPTextEncode\":{},"
               "\"KSampler\":{\"input\":{\"required\":{"
               "\"seed\":[\"INT\",{\"max\":18446744073709551615,"
               "\"min\":-Infinity,\"d\":NaN}]},\"optional\":{\"o\":[\"X\"]}}},"
               "\"SaveImage\":{},\"CheckpointLoaderSimple\":{\"input\":{"
               "\"required\":{\"ckpt_name\":[[\"base.safetensors\",\"z.ckpt\"]]"
               "}}},\"New\":{\"input\":{\"required\":{\"ckpt_name\":[\"COMBO\","
               "{\"options\":[\"new.safetensors\",\"z.ckpt\"]}]}}}}");

    ok(podi_comfy_info(&body, body.len - 1, mem, &info) == PODI_ERROR,
       "more than is asked for is not read");
    ok(podi_comfy_info(&body, body.len, mem, &info) == PODI_OK,
       "what a server can, with numbers of any size");
    is_str(podi_json_str(json_array_get(json_object_get(json_object_get(
               info.nodes, "KSampler"), "optional"), 0)), "o",
           "names of inputs");
    is_int((long long) json_array_size(json_object_get(info.models,
                                                       "ckpt_name")), 3,
           "models in lists of either form, each once");
    is_int((long long) json_object_size(info.models), 1,
           "pictures are no models");

    ok(!podi_comfy_lacks(needs, info.nodes, info.models, &what),
       "it has what is needed");
    (void) json_object_del(info.models, "ckpt_name");
    ok(podi_comfy_lacks(needs, info.nodes, info.models, &what),
       "without models it lacks");
    is_str(what, "base.safetensors", "that one");
    (void) json_object_del(info.nodes, "KSampler");
    ok(podi_comfy_lacks(needs, info.nodes, info.models, &what),
       "without the node, too");
    is_str(what, "KSampler", "that one");
}


/* a stranger's server must not hold up the loop: hours, if it were squared */

static void
test_many(void)
{
    unsigned            i, n = 20000;
    podi_buf_t          b;
    podi_str_t          body;
    podi_comfy_info_t   info;

    podi_buf_init(&b, mem);

    for (i = 0; i < n; i++) {
        podi_buf_printf(&b, "%c\"n%u\":{\"input\":{\"required\":{"
                        "\"x\":[[\"%u.pt\"]]}}}", i ? ',' : '{', i, i);
    }

    podi_buf_add_byte(&b, '}');
    ok(podi_buf_take(&b, &body) == PODI_OK
       && podi_comfy_info(&body, body.len, mem, &info) == PODI_OK,
       "very many nodes, each with a model of its own");
    is_int((long long) json_array_size(json_object_get(info.models, "x")), n,
           "all of them are known");
}


static void
test_uploaded(void)
{
    size_t      i;
    podi_str_t  body, name;

    static const struct {
        const char  *body;
        const char  *name;
    } cases[] = {
        { "{\"name\":\"a (1).png\",\"subfolder\":\"podi/x\","
          "\"type\":\"input\"}", "podi/x/a (1).png" },
        { "{\"name\":\"a.png\",\"subfolder\":\"\",\"type\":\"input\"}",
          "a.png" },
        { "{\"name\":\"a.png\",\"subfolder\":\"\",\"type\":\"output\"}",
          NULL },
        { "{\"name\":\"\",\"subfolder\":\"x\",\"type\":\"input\"}", NULL },
        { "{\"name\":\"../a.png\",\"subfolder\":\"\",\"type\":\"input\"}",
          NULL },
        { "{\"name\":\"a.png [temp]\",\"subfolder\":\"\","
          "\"type\":\"input\"}", NULL },
        { "[]", NULL },
        { "", NULL },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        body = podi_str_c(cases[i].body);

        if (cases[i].name == NULL) {
            ok(podi_comfy_uploaded(&body, mem, &name) == PODI_ERROR,
               "no name: %s", cases[i].body);

        } else if (ok(podi_comfy_uploaded(&body, mem, &name) == PODI_OK,
                      "a name: %s", cases[i].body))
        {
            is_str(name, cases[i].name, "as an input takes it");
        }
    }
}


int
main(void)
{
    podi_arena_t  *arena = podi_arena_create();

    mem = podi_arena_mem(arena);

    test_apply();
    test_types();
    test_long();
    test_files();
    test_graph();
    test_needs();
    test_many();
    test_uploaded();

    podi_arena_free(&arena);

    return tap_done();
}
