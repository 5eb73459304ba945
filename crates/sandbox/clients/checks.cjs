// Runs named checks and closes with a line that counts like cargo's.
//
// A check is an async function under a sentence; it fails by throwing. Every check runs, whatever became of those before it.
'use strict';

const checks = [];

/** Registers a check. */
function check(name, run) {
  checks.push({ name, run });
}

/** The error that a promise is rejected with. */
async function rejected(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`no error, but ${JSON.stringify(value)}`);
}

/** Runs every check and ends the process. */
async function run() {
  let passed = 0;
  let failed = 0;
  for (const { name, run: body } of checks) {
    try {
      await body();
      passed += 1;
      console.log(`ok     ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}\n${error.stack}`);
    }
  }
  console.log(`test result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed`);
  // A library may hold a connection or a timer for ever; its end is not waited for.
  process.exit(failed || !passed ? 1 : 0);
}

module.exports = { check, rejected, run };
