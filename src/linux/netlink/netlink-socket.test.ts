// A netlink socket against the kernel this runs on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeNetlinkAttributes, decodeNetlinkText, NetlinkFlag, type NetlinkMessage } from '#wire';
import { NETLINK_ROUTE } from '../libc/constants.ts';
import { SystemCallError } from '../libc/errno.ts';
import { TunDevice } from '../tun-device.ts';
import { NetlinkSocket } from './netlink-socket.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTNLGRP_LINK = 1;
const IFLA_IFNAME = 3;
const linkHeaderLength = 16;

function linkOfIndex(index: number): Uint8Array {
  const payload = new Uint8Array(linkHeaderLength);
  new DataView(payload.buffer).setInt32(4, index, true);
  return payload;
}

function nameIn({ payload }: NetlinkMessage): string | undefined {
  const name = decodeNetlinkAttributes(payload.subarray(linkHeaderLength)).find(
    ({ type }) => type === IFLA_IFNAME,
  );
  return name === undefined ? undefined : decodeNetlinkText(name.payload);
}

test('a dump tells everything, a question one thing, and both may follow each other', () => {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    for (let round = 0; round < 3; round++) {
      const dump = socket.request('RTM_GETLINK', {
        type: RTM_GETLINK,
        flags: NetlinkFlag.DUMP,
        payload: linkOfIndex(0),
      });
      assert.ok(dump.some((message) => message.type === RTM_NEWLINK && nameIn(message) === 'lo'));
      const answer = socket.request('RTM_GETLINK', { type: RTM_GETLINK, flags: 0, payload: linkOfIndex(1) });
      assert.deepEqual(answer.map(nameIn), ['lo']);
    }
    assert.equal(socket.receive(), undefined, 'no answer is left');
  } finally {
    socket.close();
  }
});

test('a refusal is a SystemCallError with the errno of the kernel', () => {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    assert.throws(
      () => socket.request('RTM_GETLINK', { type: RTM_GETLINK, flags: 0, payload: linkOfIndex(0x7fff_fff0) }),
      (error) => error instanceof SystemCallError && error.code === 'ENODEV' && error.call === 'RTM_GETLINK',
    );
  } finally {
    socket.close();
  }
});

test('a family that does not exist, and a group that does not', () => {
  assert.throws(() => new NetlinkSocket(999), SystemCallError);
  assert.throws(() => new NetlinkSocket(NETLINK_ROUTE, [0x7fff]), SystemCallError);
});

test('whoever listens to a group hears all of a burst', {
  skip: process.getuid?.() === 0 ? false : 'TUN devices need root',
}, () => {
  const socket = new NetlinkSocket(NETLINK_ROUTE, [RTNLGRP_LINK]);
  try {
    for (let i = 0; i < 100; i++) new TunDevice('wwburst').close();
    let heard = 0;
    for (let messages = socket.receive(); messages !== undefined; messages = socket.receive())
      heard += messages.filter((one) => one.type === RTM_DELLINK && nameIn(one) === 'wwburst').length;
    assert.equal(heard, 100);
  } finally {
    socket.close();
  }
});

test('whoever listens to a group hears of a new device', {
  skip: process.getuid?.() === 0 ? false : 'a TUN device needs root',
}, () => {
  const socket = new NetlinkSocket(NETLINK_ROUTE, [RTNLGRP_LINK]);
  const device = new TunDevice('wwnl%d');
  try {
    const heard: (string | undefined)[] = [];
    const views: Uint8Array[] = [];
    for (let messages = socket.receive(); messages !== undefined; messages = socket.receive()) {
      heard.push(...messages.filter(({ type }) => type === RTM_NEWLINK).map(nameIn));
      views.push(...messages.map(({ payload }) => payload));
    }
    assert.ok(heard.includes(device.name), `${heard}`);
    // Of an SA there would be keys in it.
    assert.ok(views.every((octets) => octets.every((octet) => octet === 0)));
  } finally {
    device.close();
    socket.close();
  }
});
