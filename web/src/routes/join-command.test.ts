import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isThisMachine, joinCommand } from './join-command.ts';

test('the command has the address of the installation and names a file for the token', () => {
  const command = joinCommand('metrics.example.org');
  assert.match(command, /THRUM_INGEST=http:\/\/metrics\.example\.org:7071 /);
  assert.match(command, /THRUM_TOKEN=@token /);
});

test('an IPv6 address stands in brackets', () => {
  assert.match(joinCommand('::1'), /http:\/\/\[::1\]:7071/);
  assert.match(joinCommand('[::1]'), /http:\/\/\[::1\]:7071/);
});

test('names that mean this machine only are known as such', () => {
  assert.deepEqual(['localhost', '127.0.0.1', '[::1]'].map(isThisMachine), [true, true, true]);
  assert.deepEqual(['metrics.example.org', '10.0.0.7'].map(isThisMachine), [false, false]);
});
