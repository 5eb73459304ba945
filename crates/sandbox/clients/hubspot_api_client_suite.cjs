// @hubspot/api-client, unmodified, against the sandbox.
'use strict';

const assert = require('node:assert/strict');
const { Client } = require('@hubspot/api-client');
const { check, rejected, run } = require('./checks.cjs');

const basePath = process.env.HUBSPOT_URL;
const client = (accessToken, more) => new Client({ accessToken, basePath, ...more });
const hub = client('pat-sandbox-1');
const api = hub.crm.contacts;
const make = (properties) => api.basicApi.create({ properties, associations: [] });

/** Runs something under a fault script. */
async function faulty(script, body) {
  await fetch(`${basePath}/_sandbox/faults`, { method: 'PUT', body: script });
  try {
    return await body();
  } finally {
    await fetch(`${basePath}/_sandbox/faults`, { method: 'DELETE' });
  }
}

check('creates, reads, updates and archives', async () => {
  const made = await make({ email: 'One@Node.example', firstname: 'Zoë' });
  assert.equal(made.properties.email, 'one@node.example');
  assert.equal((await api.basicApi.getById(made.id, ['firstname'])).properties.firstname, 'Zoë');
  assert.equal((await api.basicApi.update(made.id, { properties: { city: 'Ulm' } })).properties.city, 'Ulm');
  await api.basicApi.archive(made.id);
  assert.equal((await rejected(api.basicApi.getById(made.id))).code, 404);
});

check('a conflict names the other contact', async () => {
  const made = await make({ email: 'taken@node.example' });
  const error = await rejected(make({ email: 'taken@node.example' }));
  assert.equal(error.code, 409);
  assert.equal(error.body.message, `Contact already exists. Existing ID: ${made.id}`);
});

check('batches create, read, upsert and archive', async () => {
  const inputs = [1, 2, 3].map((n) => ({ properties: { email: `b${n}@node.example` }, associations: [] }));
  const made = (await api.batchApi.create({ inputs })).results;
  const ids = made.map((row) => ({ id: row.id }));
  const read = await api.batchApi.read({ inputs: ids, properties: ['email'], propertiesWithHistory: [] });
  assert.equal(read.results.length, 3);
  const row = { id: 'N-1', idProperty: 'syncline_id', properties: { syncline_id: 'N-1' } };
  assert.equal((await api.batchApi.upsert({ inputs: [row] })).results[0]._new, true);
  assert.equal((await api.batchApi.upsert({ inputs: [row] })).results[0]._new, false);
  await api.batchApi.archive({ inputs: ids });
});

check('lists and searches page', async () => {
  for (let n = 0; n < 7; n += 1) await make({ email: `p${n}@node.example`, lastname: 'Paging' });
  assert.ok((await api.getAll()).length >= 7);
  const filterGroups = [{ filters: [{ propertyName: 'lastname', operator: 'EQ', value: 'Paging' }] }];
  const first = await api.searchApi.doSearch({ filterGroups, limit: 5, properties: ['email'], sorts: [] });
  assert.deepEqual([first.total, first.results.length, first.paging.next.after], [7, 5, '5']);
  const rest = await api.searchApi.doSearch({ filterGroups, limit: 5, after: '5', properties: ['email'], sorts: [] });
  assert.deepEqual([rest.results.length, rest.paging], [2, undefined]);
});

check('merges and deletes for good', async () => {
  const [one, two] = [await make({ email: 'm1@node.example' }), await make({ email: 'm2@node.example' })];
  const merged = await api.basicApi.merge({ primaryObjectId: one.id, objectIdToMerge: two.id });
  assert.equal((await api.basicApi.getById(one.id)).id, merged.id);
  await api.basicApi.purge({ objectId: merged.id });
  assert.equal((await rejected(api.basicApi.getById(merged.id))).code, 404);
});

check('history is told newest first', async () => {
  const made = await make({ email: 'history@node.example', city: 'Ulm' });
  await api.basicApi.update(made.id, { properties: { city: '' } });
  const read = await api.basicApi.getById(made.id, undefined, ['city']);
  assert.deepEqual(read.propertiesWithHistory.city.map((version) => version.value), ['', 'Ulm']);
});

check('an answer that breaks off is an error, and the contact is there', async () => {
  const half = '- {on: {system: hubspot, operation: create}, do: {then: close_half}}';
  await faulty(half, () => rejected(make({ email: 'half@node.example' })));
  assert.ok((await api.basicApi.getById('half@node.example', undefined, undefined, undefined, undefined, 'email')).id);
});

check('tokens are refreshed and refused', async () => {
  const tokens = new Client({ basePath }).oauth.tokensApi;
  const refresh = (token) => tokens.create('refresh_token', undefined, undefined, 'sandbox-app', 'sandbox-app-secret', token);
  const token = await refresh('eu1-sandbox-refresh-1');
  assert.ok((await client(token.accessToken).crm.contacts.basicApi.getPage(1)).results);
  assert.equal((await rejected(refresh('nonsense'))).body.status, 'BAD_REFRESH_TOKEN');
  const gone = '- {on: {system: hubspot, operation: token}, do: {status: 400, body: bad_hub}}';
  assert.equal((await faulty(gone, () => rejected(refresh('eu1-sandbox-refresh-1')))).body.status, 'BAD_HUB');
});

check('unknown tokens and missing scopes are refused', async () => {
  assert.equal((await rejected(client('nonsense').crm.contacts.basicApi.getPage())).code, 401);
  const error = await faulty('- do: {status: 403}', () => rejected(api.basicApi.getPage()));
  assert.deepEqual([error.code, error.body.category], [403, 'MISSING_SCOPES']);
});

check('the library tries again after 5xx and after the second is over', async () => {
  const patient = client('pat-sandbox-1', { numberOfApiCallRetries: 2 });
  const page = () => patient.crm.contacts.basicApi.getPage(1);
  assert.ok((await faulty('- {on: {nth: 1}, do: {status: 503}}', page)).results);
  assert.ok((await faulty('- {on: {nth: 1}, do: {status: 429, body: secondly}}', page)).results);
  assert.equal((await faulty('- do: {status: 429, body: daily}', () => rejected(page()))).code, 429);
});

run();
