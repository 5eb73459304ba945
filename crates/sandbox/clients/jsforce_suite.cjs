// jsforce, unmodified, against the sandbox.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const jsforce = require('jsforce');
const { check, rejected, run } = require('./checks.cjs');

const url = process.env.SALESFORCE_URL;
const version = '62.0';
const username = 'integration@sandbox.example';
const password = 'sandbox-passwordSandboxToken';
const app = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret', loginUrl: url, redirectUri: 'http://127.0.0.1/back' };

/** A control path of the sandbox. */
async function control(method, name, body) {
  const answer = await fetch(`${url}/_sandbox/${name}`, { method, body });
  assert.ok(answer.ok, `${name}: ${answer.status}`);
}

/** Runs something under a fault script. */
async function faulty(script, body) {
  await control('PUT', 'faults', script);
  try {
    return await body();
  } finally {
    await control('DELETE', 'faults');
  }
}

const conn = new jsforce.Connection({ instanceUrl: url, accessToken: '00D5g000004Kp7Q!preshared', version, maxRequest: 50 });

check('logs in and out by SOAP', async () => {
  const own = new jsforce.Connection({ loginUrl: url, version, logLevel: 'FATAL' });
  const user = await own.login(username, password);
  assert.equal(user.organizationId, '00D5g000004Kp7QEAS');
  assert.equal((await own.identity()).username, username);
  const { accessToken } = own;
  await own.logout();
  const stale = new jsforce.Connection({ instanceUrl: url, accessToken, version });
  assert.equal((await rejected(stale.limits())).errorCode, 'INVALID_SESSION_ID');
});

check('logs in by password grant and out by revoking', async () => {
  const own = new jsforce.Connection({ oauth2: app, version });
  const user = await own.login(username, password);
  assert.equal(user.id, '0055g000007Xy9ZAAS');
  assert.equal(own.instanceUrl, url);
  assert.equal((await own.identity()).user_id, user.id);
  await own.logout();
});

check('logs in by client credentials', async () => {
  const own = new jsforce.Connection({ oauth2: app, version });
  await own.authorize({ grant_type: 'client_credentials' });
  assert.ok((await own.limits()).DailyApiRequests.Remaining > 0);
});

check('logs in by signed assertion', async () => {
  const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  await control('PUT', 'certificate', publicKey.export({ type: 'spki', format: 'pem' }));
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 180;
  const claims = { iss: app.clientId, sub: username, aud: url, exp };
  const text = `${part({ alg: 'RS256' })}.${part(claims)}`;
  const assertion = `${text}.${crypto.sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url')}`;
  const own = new jsforce.Connection({ oauth2: app, version });
  await own.authorize({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
  assert.ok(await own.limits());
});

check('exchanges a code, and refreshes when the session ends', async () => {
  const oauth2 = new jsforce.OAuth2({ ...app, useVerifier: true });
  const page = await fetch(oauth2.getAuthorizationUrl({ scope: 'api refresh_token' }), { redirect: 'manual' });
  const code = new URL(page.headers.get('location')).searchParams.get('code');
  const own = new jsforce.Connection({ oauth2, version });
  await own.authorize(code);
  assert.ok(own.refreshToken);
  let refreshed = 0;
  own.on('refresh', () => { refreshed += 1; });
  const script = '- {on: {system: salesforce, nth: 1}, do: {expire_tokens: true}}';
  const made = await faulty(script, () => own.sobject('Contact').create({ LastName: 'Renewed' }));
  assert.ok(made.success);
  assert.equal(refreshed, 1);
});

check('tells why a login fails', async () => {
  const own = new jsforce.Connection({ oauth2: app, version });
  assert.equal((await rejected(own.login(username, 'wrong'))).name, 'invalid_grant');
  const soap = new jsforce.Connection({ loginUrl: url, version, logLevel: 'FATAL' });
  assert.match((await rejected(soap.login(username, 'wrong'))).message, /^INVALID_LOGIN/);
});

check('creates, reads, updates and deletes a row', async () => {
  const contact = conn.sobject('Contact');
  const made = await contact.create({ LastName: 'Okafor', Email: 'n.okafor@example.org' });
  assert.equal(made.success, true);
  assert.equal((await contact.retrieve(made.id)).LastName, 'Okafor');
  assert.equal((await contact.update({ Id: made.id, Title: 'Buyer' })).success, true);
  assert.equal((await contact.retrieve(made.id)).Title, 'Buyer');
  assert.equal((await contact.destroy(made.id)).success, true);
  assert.equal((await rejected(contact.retrieve(made.id))).errorCode, 'ENTITY_IS_DELETED');
});

check('upserts by external id', async () => {
  const contact = conn.sobject('Contact');
  const first = await contact.upsert({ Syncline_Id__c: 'js-1', LastName: 'Adeyemi' }, 'Syncline_Id__c');
  const second = await contact.upsert({ Syncline_Id__c: 'js-1', LastName: 'Adeyemi', FirstName: 'Ngozi' }, 'Syncline_Id__c');
  assert.ok(first.success && second.success);
  assert.equal((await contact.findOne({ Syncline_Id__c: 'js-1' })).FirstName, 'Ngozi');
});

check('takes arrays of rows', async () => {
  const lead = conn.sobject('Lead');
  const rows = Array.from({ length: 250 }, (_, n) => ({ LastName: `Row ${n}`, Company: 'Acme', Syncline_Id__c: `many-${n}` }));
  const made = await lead.create(rows, { allowRecursive: true });
  assert.equal(made.filter((one) => one.success).length, 250);
  const ids = made.map((one) => one.id);
  const changed = await lead.update(ids.slice(0, 3).map((Id) => ({ Id, Title: 'Buyer' })));
  assert.ok(changed.every((one) => one.success));
  const again = await lead.upsert(rows.slice(0, 2), 'Syncline_Id__c');
  assert.ok(again.every((one) => one.success));
  assert.equal((await lead.retrieve(ids.slice(0, 3)))[2].Title, 'Buyer');
  const gone = await lead.destroy(ids.slice(0, 10));
  assert.ok(gone.every((one) => one.success));
  const mixed = await lead.create([{ LastName: 'x' }, { LastName: 'y', Company: 'Mixed' }]);
  assert.deepEqual(mixed.map((one) => one.success), [false, true]);
  assert.equal(mixed[0].errors[0].statusCode, 'REQUIRED_FIELD_MISSING');
});

check('pages through a query', async () => {
  const soql = "SELECT Id FROM Lead WHERE Company = 'Acme'";
  const first = await conn.query(soql);
  assert.equal(first.totalSize, 240);
  assert.equal(first.records.length, 50);
  const second = await conn.queryMore(first.nextRecordsUrl);
  assert.equal(second.records.length, 50);
  const all = await conn.query(soql).run({ autoFetch: true, maxFetch: 1000 });
  assert.equal(all.records.length, 240);
  const deleted = await conn.query(`${soql} AND IsDeleted = true`).scanAll(true).run();
  assert.equal(deleted.totalSize, 10);
});

check('searches', async () => {
  await conn.sobject('Contact').create({ LastName: 'Zimmermann', FirstName: 'Ida' });
  const found = await conn.search('FIND {Zimmer*} IN NAME FIELDS RETURNING Contact(Id, LastName)');
  assert.deepEqual(found.searchRecords.map((row) => row.LastName), ['Zimmermann']);
  assert.equal((await rejected(conn.search('FIND {x}'))).errorCode, 'MALFORMED_SEARCH');
});

check('lists what changed, was deleted and was touched last', async () => {
  const lead = conn.sobject('Lead');
  const [kept, gone] = await lead.create([{ LastName: 'Kept', Company: 'W' }, { LastName: 'Gone', Company: 'W' }]);
  await lead.destroy(gone.id);
  const start = new Date(Date.now() - 300e3);
  const end = new Date(Date.now() + 120e3);
  assert.ok((await lead.updated(start, end)).ids.includes(kept.id));
  assert.ok((await lead.deleted(start, end)).deletedRecords.some((row) => row.id === gone.id));
  assert.equal((await conn.recent(2)).length, 2);
  assert.ok((await lead.recent()).length > 0);
});

check('runs a composite, a batch and a tree', async () => {
  const base = `/services/data/v${version}`;
  const compositeRequest = [
    { method: 'POST', url: `${base}/sobjects/Account`, referenceId: 'a', body: { Name: 'Tree Ltd' } },
    { method: 'POST', url: `${base}/sobjects/Contact`, referenceId: 'c', body: { LastName: 'x', AccountId: '@{a.id}' } },
  ];
  const done = await conn.requestPost('/composite', { allOrNone: true, compositeRequest });
  assert.deepEqual(done.compositeResponse.map((part) => part.httpStatusCode), [201, 201]);
  const batch = await conn.requestPost('/composite/batch', { batchRequests: [{ method: 'GET', url: `v${version}/limits` }] });
  assert.equal(batch.results[0].statusCode, 200);
  const records = [{ attributes: { type: 'Contact', referenceId: 'r1' }, LastName: 'Okafor' }];
  assert.equal((await conn.requestPost('/composite/tree/Contact', { records })).hasErrors, false);
});

check('creates a field that a grant shows', async () => {
  const metadata = { type: 'Text', label: 'Made', length: 20, externalId: true };
  const made = await conn.tooling.create('CustomField', { FullName: 'Lead.Made__c', Metadata: metadata });
  assert.equal(made.success, true);
  const again = await rejected(conn.tooling.create('CustomField', { FullName: 'Lead.Made__c', Metadata: metadata }));
  assert.equal(again.errorCode, 'DUPLICATE_DEVELOPER_NAME');
  const shows = async () => (await conn.request(`/services/data/v${version}/sobjects/Lead/describe`)).fields.some((field) => field.name === 'Made__c');
  assert.equal(await shows(), false);
  const { id: ParentId } = await conn.sobject('PermissionSet').create({ Name: 'Made', Label: 'Made' });
  const grant = { ParentId, SobjectType: 'Lead', Field: 'Lead.Made__c', PermissionsRead: true, PermissionsEdit: true };
  assert.ok((await conn.sobject('FieldPermissions').create(grant)).success);
  const { Id: AssigneeId } = await conn.sobject('User').findOne({ Username: username });
  assert.ok((await conn.sobject('PermissionSetAssignment').create({ PermissionSetId: ParentId, AssigneeId })).success);
  assert.equal(await shows(), true);
});

check('describes objects', async () => {
  const fields = (await conn.sobject('Lead').describe()).fields;
  assert.ok(fields.find((field) => field.name === 'Syncline_Id__c').externalId);
  assert.ok((await conn.describeGlobal()).sobjects.some((one) => one.name === 'Contact'));
});

check('reads the usage header', async () => {
  await conn.limits();
  assert.equal(conn.limitInfo.apiUsage.limit, 15000);
});

check('parses one error, several, and choices', async () => {
  const contact = conn.sobject('Contact');
  const missing = await rejected(contact.create({ FirstName: 'Nobody' }));
  assert.equal(missing.errorCode, 'REQUIRED_FIELD_MISSING');
  const several = await rejected(contact.create({ FirstName: 'x'.repeat(41), LastName: 'y'.repeat(81) }));
  assert.equal(several.errorCode, 'MULTIPLE_API_ERRORS');
  await contact.create([{ LastName: 'Twin', Email: 'twin@example.org' }, { LastName: 'Twin', Email: 'twin@example.org' }]);
  const choices = await rejected(conn.request('/sobjects/Contact/Email/twin@example.org'));
  assert.equal(choices.errorCode, 'MULTIPLE_CHOICES');
  assert.equal((await rejected(conn.query('SELECT Nickname FROM Contact'))).errorCode, 'INVALID_FIELD');
  assert.equal((await rejected(conn.request('/sobjects/Nothing/describe'))).errorCode, 'NOT_FOUND');
  const old = new jsforce.Connection({ instanceUrl: url, accessToken: '00D5g000004Kp7Q!preshared', version: '30.0' });
  assert.equal((await rejected(old.limits())).errorCode, 'UNSUPPORTED_API_VERSION');
});

check('includes children in a query', async () => {
  const { id: AccountId } = await conn.sobject('Account').create({ Name: 'Nested' });
  await conn.sobject('Contact').create([{ LastName: 'Inner', AccountId }, { LastName: 'Other', AccountId }]);
  const query = conn.sobject('Account').find({ Name: 'Nested' }, 'Id, Name');
  const [account] = await query.include('Contacts').select('Id, LastName').orderby('LastName').limit(1).end().execute();
  assert.deepEqual(account.Contacts.records.map((row) => row.LastName), ['Inner']);
});

check('runs bulk jobs', async () => {
  const input = [1, 2, 3].map((n) => ({ Syncline_Id__c: `bulk-${n}`, LastName: 'Bulky', Title: n === 3 ? null : 'x' }));
  input.push({ Syncline_Id__c: 'bulk-x', LastName: 'y'.repeat(81), Title: 'x' });
  const times = { pollInterval: 20, pollTimeout: 20000 };
  const job = { object: 'Contact', operation: 'upsert', externalIdFieldName: 'Syncline_Id__c', input, ...times };
  const told = await conn.bulk2.loadAndWaitForResults(job);
  assert.deepEqual([told.successfulResults.length, told.failedResults.length, told.unprocessedRecords.length], [3, 1, 0]);
  assert.match(told.failedResults[0].sf__Error, /^STRING_TOO_LONG:/);
  const found = await (await conn.bulk2.query("SELECT Id, Title FROM Contact WHERE LastName = 'Bulky'", times)).toArray();
  assert.equal(found.length, 3);
});

check('meets duplicate rules, alone and in a collection', async () => {
  const row = { LastName: 'Twice', AssistantName: 'Ygor' };
  const contact = conn.sobject('Contact');
  assert.ok((await contact.create(row)).success);
  assert.equal((await rejected(contact.create(row))).errorCode, 'DUPLICATES_DETECTED');
  const [one] = await contact.create([row]);
  assert.deepEqual([one.success, one.errors[0].statusCode, one.errors[0].fields], [false, 'DUPLICATES_DETECTED', []]);
  assert.ok((await contact.create(row, { headers: { 'Sforce-Duplicate-Rule-Header': 'allowSave=true' } })).success);
});

check('meets refused rows of every kind', async () => {
  const script = (code) => `- {on: {system: salesforce}, do: {invalid: {code: ${code}, message: "no"}}}`;
  const create = () => rejected(conn.sobject('Contact').create({ LastName: 'x' }));
  assert.equal((await faulty(script('UNABLE_TO_LOCK_ROW'), create)).errorCode, 'UNABLE_TO_LOCK_ROW');
  const [one] = await faulty(script('ENTITY_IS_LOCKED'), () => conn.sobject('Contact').create([{ LastName: 'x' }]));
  assert.equal(one.errors[0].statusCode, 'ENTITY_IS_LOCKED');
});

check('tells limits and outages apart', async () => {
  const daily = '- {on: {system: salesforce}, do: {status: 403, body: daily}}';
  assert.equal((await faulty(daily, () => rejected(conn.limits()))).errorCode, 'REQUEST_LIMIT_EXCEEDED');
  const create = () => rejected(conn.sobject('Contact').create({ LastName: 'x' }));
  assert.equal((await faulty('- {on: {system: salesforce}, do: {status: 503, body: json}}', create)).errorCode, 'SERVER_UNAVAILABLE');
  const html = await faulty('- {on: {system: salesforce}, do: {status: 503}}', create);
  assert.equal(html.errorCode, 'ERROR_HTTP_503');
  const again = await faulty('- {on: {system: salesforce, nth: 1}, do: {status: 503}}', () => conn.limits());
  assert.ok(again.DailyApiRequests);
});

run();
