// `wayward.tun_name`: what a kernel takes for the name of an interface.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationErrors } from '../error.ts';
import { connection, load } from '../testing/load.ts';

const nameOf = (text: string): string =>
  load(`${connection()}\nwayward { tun_name = "${text}" }`).host.tunName;

test('a name, also one that the kernel numbers', () => {
  for (const name of ['wayward0', 'a', 'fifteen-letters', 'tun%d', 'vpn.7']) assert.equal(nameOf(name), name);
});

test('a name that no interface can have is refused before anything is opened', () => {
  for (const name of ['sixteen-letters-', 'äöüäöüäö', 'a b', 'a/b', 'a:b', '.', '..', 'tun%s', 'tun%d%d']) {
    assert.throws(
      () => nameOf(name),
      (error) =>
        error instanceof ConfigurationErrors &&
        /:\d+:\d+: tun_name = ".*": expected the name of an interface/.test(error.message),
      name,
    );
  }
});
