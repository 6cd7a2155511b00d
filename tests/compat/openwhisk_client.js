'use strict';
// What does OpenWhisk's own JavaScript client find on a server of ours?
//
// The scenarios of that client's integration tests, written anew. `node openwhisk_client.js CLIENT_FOLDER` runs them one
// after another against the server that the `__OW_*` variables name, and prints one line of JSON for each.

const assert = require('node:assert/strict');
const path = require('node:path');
const openwhisk = require(path.join(process.argv[2], 'node_modules', 'openwhisk'));

const namespace = process.env.__OW_NAMESPACE;
const make = (options = {}) => openwhisk(options);
const ECHO = 'function main(args) { return args }';
// A zip with one stored file, index.js: `exports.main = (a) => ({zipped: a.n})`.
const ZIP = process.env.RAMBLA_TEST_ZIP;

const status = async (wanted, promise) => {
  await assert.rejects(promise, (error) => {
    assert.equal(error.statusCode, wanted);
    return true;
  });
};

const listed = async (collection, options) => {
  for (const entity of await make(options)[collection].list()) assert.equal(entity.namespace, namespace);
};

const scenarios = {
  'actions: list all using default namespace': () => listed('actions'),
  'actions: list all using options namespace': () => listed('actions', { namespace }),
  'actions: get a non-existing action, expecting 404': () => status(404, make().actions.get({ name: 'missing' })),
  'actions: delete a non-existing action, expecting 404': () => status(404, make().actions.delete({ name: 'missing' })),
  'actions: create with an existing action, expecting 409': async () => {
    const { actions } = make();
    await actions.create({ name: 'twice', action: ECHO });
    await status(409, actions.create({ name: 'twice', action: ECHO }));
    await actions.delete({ name: 'twice' });
  },
  'actions: create, get and delete': async () => {
    const { actions } = make();
    const made = await actions.create({ name: 'random_action', action: ECHO });
    assert.deepEqual([made.name, made.namespace, made.exec.kind.split(':')[0], made.exec.code], ['random_action', namespace, 'nodejs', ECHO]);
    assert.deepEqual(await actions.get({ name: 'random_action' }), made);
    await actions.delete({ name: 'random_action' });
  },
  'actions: create and update': async () => {
    const { actions } = make();
    const made = await actions.create({ name: 'changing', action: ECHO });
    assert.equal(made.version, '0.0.1');
    assert.equal((await actions.update({ actionName: 'changing', action: ECHO })).version, '0.0.2');
    await actions.delete({ name: 'changing' });
  },
  'actions: create, get and delete with parameters': async () => {
    const { actions } = make();
    const made = await actions.create({ name: 'with_params', params: { hello: 'world' }, action: ECHO });
    assert.deepEqual(made.parameters, [{ key: 'hello', value: 'world' }]);
    assert.deepEqual((await actions.get({ name: 'with_params' })).parameters, made.parameters);
    await actions.delete({ name: 'with_params' });
  },
  'actions: get with and without code': async () => {
    const { actions } = make();
    await actions.create({ name: 'coded', action: ECHO });
    assert.equal((await actions.get({ name: 'coded' })).exec.code, ECHO);
    assert.equal((await actions.get({ name: 'coded', code: false })).exec.code, undefined);
    await actions.delete({ name: 'coded' });
  },
  'actions: invoke with fully-qualified name': async () => {
    const ended = await make().actions.invoke({ name: '/whisk.system/utils/sort', blocking: true });
    assert.equal(ended.response.success, true);
  },
  'actions: create, invoke and remove package action': async () => {
    const { actions, packages } = make();
    await packages.create({ name: 'a_package' });
    await actions.create({ name: 'a_package/zipped', action: Buffer.from(ZIP, 'base64') });
    const result = await actions.invoke({ name: 'a_package/zipped', params: { n: 1 }, blocking: true, result: true });
    assert.deepEqual(result, { zipped: 1 });
    await actions.delete({ name: 'a_package/zipped' });
    await packages.delete({ name: 'a_package' });
  },
  'actions: create, get and delete sequence': async () => {
    const { actions } = make();
    const made = await actions.create({ name: 'a_sequence', sequence: ['/whisk.system/utils/echo'] });
    assert.deepEqual([made.exec.kind, made.exec.components], ['sequence', ['/whisk.system/utils/echo']]);
    assert.deepEqual(await actions.get({ name: 'a_sequence' }), made);
    await actions.delete({ name: 'a_sequence' });
  },

  'activations: list all': async () => {
    for (const one of await make().activations.list()) {
      assert.equal(one.namespace, namespace);
      assert.ok(one.name && one.activationId);
    }
  },
  'activations: retrieve individual activations': () => each(async (activations, id) => {
    assert.equal((await activations.get({ activation: id })).activationId, id);
  }),
  'activations: retrieve individual activation logs': () => each(async (activations, id) => {
    assert.ok(Array.isArray((await activations.logs({ activation: id })).logs));
  }),
  'activations: retrieve individual activation result': () => each(async (activations, id) => {
    assert.equal(typeof (await activations.result({ activation: id })).success, 'boolean');
  }),

  'feeds: create, get, update and delete': async () => {
    const { feeds, triggers } = make();
    const feed = { feedName: '/whisk.system/alarms/alarm', trigger: 'a_feed', params: { cron: '*/8 * * * * *' } };
    await triggers.create({ name: 'a_feed' });
    for (const ask of ['create', 'get', 'update', 'delete']) {
      const params = ask === 'update' ? { cron: '*/9 * * * * *' } : feed.params;
      assert.equal((await feeds[ask]({ ...feed, params })).response.success, true, ask);
    }
    await triggers.delete({ name: 'a_feed' });
  },

  'namespaces: list all': async () => assert.deepEqual(await make().namespaces.list(), [namespace]),
  'namespaces: retrieve individual': async () => {
    const found = await make().namespaces.get({ namespace });
    for (const key of ['actions', 'packages', 'triggers', 'rules']) assert.ok(Array.isArray(found[key]), key);
  },

  'packages: list all using default namespace': () => listed('packages'),
  'packages: list all using options namespace': () => listed('packages', { namespace }),
  'packages: get a non-existing package, expecting 404': () => status(404, make().packages.get({ name: 'missing' })),
  'packages: create, get and delete': () => lifeOf('packages', 'packageName'),
  'packages: create and update': () => changeOf('packages', 'packageName'),

  'routes: create, retrieve and delete action route using token': async () => {
    const { actions, routes } = make();
    const route = { action: 'route_action', basepath: '/testing', relpath: '/foo/bar', operation: 'POST' };
    await actions.create({ name: 'route_action', action: '', annotations: { 'web-export': true } });
    await routes.create(route);
    const { apis } = await routes.list({ basepath: '/testing' });
    assert.equal(apis.length, 1);
    const { basePath, paths } = apis[0].value.apidoc;
    assert.deepEqual([basePath, Object.keys(paths), Object.keys(paths['/foo/bar'])], ['/testing', ['/foo/bar'], ['post']]);
    assert.equal(paths['/foo/bar'].post['x-openwhisk'].action, 'route_action');
    await routes.delete(route);
    assert.deepEqual((await routes.list({ basepath: '/testing' })).apis, []);
    await actions.delete({ name: 'route_action' });
  },

  'rules: list all using default namespace': () => listed('rules'),
  'rules: list all using options namespace': () => listed('rules', { namespace }),
  'rules: get a non-existing rule, expecting 404': () => status(404, make().rules.get({ name: 'missing' })),
  'rules: create, get and delete': () => withRule(async (rules) => {
    const made = await rules.create({ name: 'a_rule', action: 'hello', trigger: 'sample' });
    assert.deepEqual([made.name, made.namespace, made.version], ['a_rule', namespace, '0.0.1']);
    const got = await rules.get({ name: 'a_rule' });
    assert.deepEqual([got.action, got.trigger], [{ path: namespace, name: 'hello' }, { path: namespace, name: 'sample' }]);
    await rules.disable({ name: 'a_rule' });
    await rules.enable({ name: 'a_rule' });
    await rules.delete({ name: 'a_rule' });
  }),
  'rules: create and update': () => withRule(async (rules) => {
    await rules.create({ name: 'a_rule', action: 'hello', trigger: 'sample' });
    assert.equal((await rules.update({ name: 'a_rule', action: 'tests', trigger: 'sample' })).version, '0.0.2');
    await rules.delete({ name: 'a_rule' });
  }),

  'triggers: list all using default namespace': () => listed('triggers'),
  'triggers: list all using options namespace': () => listed('triggers', { namespace }),
  'triggers: get a non-existing trigger, expecting 404': () => status(404, make().triggers.get({ name: 'missing' })),
  'triggers: create, get and delete': () => lifeOf('triggers', 'triggerName'),
  'triggers: create and update': () => changeOf('triggers', 'triggerName'),
  'triggers: fire': async () => {
    const { rules, triggers } = make();
    await triggers.create({ name: 'to_fire' });
    await rules.create({ name: 'a_fire_rule', action: '/whisk.system/utils/echo', trigger: 'to_fire' });
    assert.match((await triggers.invoke({ name: 'to_fire', params: { n: 1 } })).activationId, /^[0-9a-f]{32}$/);
    await rules.delete({ name: 'a_fire_rule' });
    await triggers.delete({ name: 'to_fire' });
  },
};

async function each(look) {
  const { activations } = make();
  for (const one of await activations.list({ limit: 5 })) await look(activations, one.activationId);
}

async function lifeOf(collection, key) {
  const entities = make()[collection];
  const made = await entities.create({ [key]: 'an_entity' });
  assert.deepEqual([made.name, made.namespace, made.annotations, made.version, made.publish], ['an_entity', namespace, [], '0.0.1', false]);
  if (collection === 'triggers') assert.deepEqual(made.limits, {});
  assert.equal((await entities.get({ [key]: 'an_entity' })).name, 'an_entity');
  await entities.delete({ [key]: 'an_entity' });
}

async function changeOf(collection, key) {
  const entities = make()[collection];
  assert.equal((await entities.create({ [key]: 'an_entity' })).version, '0.0.1');
  assert.equal((await entities.update({ [key]: 'an_entity' })).version, '0.0.2');
  await entities.delete({ [key]: 'an_entity' });
}

async function withRule(use) {
  const { actions, rules, triggers } = make();
  for (const name of ['hello', 'tests']) await actions.create({ name, action: ECHO });
  await triggers.create({ name: 'sample' });
  await use(rules);
  await triggers.delete({ name: 'sample' });
  for (const name of ['hello', 'tests']) await actions.delete({ name });
}

(async () => {
  for (const [name, run] of Object.entries(scenarios)) {
    let error = '';
    try {
      await run();
    } catch (caught) {
      error = String((caught && caught.stack) || caught);
    }
    console.log(JSON.stringify({ name, error }));
  }
})();
