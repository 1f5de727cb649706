// `wayward.http`: loopback and Unix sockets, and nothing that others can reach.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationErrors } from '../error.ts';
import { connection, load } from '../testing/load.ts';

const httpOf = (text: string): unknown => load(`${connection()}\nwayward { http = ${text} }`).host.http;

test('the page is off unless asked for', () => {
  assert.equal(load(connection()).host.http, undefined);
});

test('a port alone is one of 127.0.0.1; a path is a Unix socket', () => {
  assert.deepEqual(httpOf('9100'), { kind: 'loopback', address: '127.0.0.1', port: 9_100 });
  assert.deepEqual(httpOf('127.0.0.1:9100'), { kind: 'loopback', address: '127.0.0.1', port: 9_100 });
  assert.deepEqual(httpOf('localhost:0'), { kind: 'loopback', address: '127.0.0.1', port: 0 });
  assert.deepEqual(httpOf('"[::1]:9100"'), { kind: 'loopback', address: '::1', port: 9_100 });
  assert.deepEqual(httpOf('/run/wayward.http'), { kind: 'path', path: '/run/wayward.http' });
});

test('an address that others can reach is refused, and so is what is none', () => {
  for (const [text, why] of [
    ['0.0.0.0:9100', /not on 0\.0\.0\.0/],
    ['192.0.2.1:9100', /let a tunnel or a proxy lead there/],
    ['"[::]:9100"', /not on \[::\]/],
    ['65536', /is a port/],
    ['nine', /is a port/],
    ['run/http', /is a port/],
  ] as const) {
    assert.throws(
      () => httpOf(text),
      (error) => error instanceof ConfigurationErrors && why.test(error.message),
      text,
    );
  }
});
