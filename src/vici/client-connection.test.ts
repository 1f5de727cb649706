// A client's end, octet by octet: order of requests, streams around their events, servers that break the protocol.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeViciPacket, encodeViciFrame, type ViciPacket, WireError } from '#wire';
import { type ClientOutput, ViciClientConnection } from './client-connection.ts';

type Said = Exclude<ClientOutput, { kind: 'transmit' }> | ViciPacket;

/** Everything the connection has to say, what it transmits as packets. */
function drain(connection: ViciClientConnection): Said[] {
  const said: Said[] = [];
  for (let output = connection.poll(); output !== undefined; output = connection.poll())
    said.push(output.kind === 'transmit' ? decodeViciPacket(output.octets.subarray(4)) : output);
  return said;
}

function answer(connection: ViciClientConnection, ...packets: readonly ViciPacket[]): Said[] {
  for (const packet of packets) connection.receive(encodeViciFrame(packet));
  return drain(connection);
}

const command = { kind: 'command', id: 1, name: 'version', message: {} } as const;
const request: ViciPacket = { kind: 'command-request', name: 'version', message: {} };
const message = { daemon: 'charon' };

test('one request at a time, the next when the answer has come', () => {
  const connection = new ViciClientConnection();
  connection.request(command);
  connection.request({ ...command, id: 2 });
  assert.deepEqual(drain(connection), [request]);
  assert.deepEqual(answer(connection, { kind: 'command-response', message }), [
    { kind: 'response', id: 1, message },
    request,
  ]);
  assert.deepEqual(answer(connection, { kind: 'command-unknown' }), [
    { kind: 'unknown', id: 2, what: 'command' },
  ]);
});

test('a streaming command registers for its event, and unregisters before the next request', () => {
  const connection = new ViciClientConnection();
  connection.request({ ...command, stream: 'list-sa' });
  connection.request({ ...command, id: 2 });
  assert.deepEqual(drain(connection), [{ kind: 'event-register', name: 'list-sa' }]);
  assert.deepEqual(answer(connection, { kind: 'event-confirm' }), [request]);
  const event: ViciPacket = { kind: 'event', name: 'list-sa', message };
  assert.deepEqual(answer(connection, event, { kind: 'event', name: 'log', message }), [
    { kind: 'streamed', id: 1, message },
  ]);
  assert.deepEqual(answer(connection, { kind: 'command-response', message: {} }), [
    { kind: 'event-unregister', name: 'list-sa' },
  ]);
  assert.deepEqual(answer(connection, event, { kind: 'event-confirm' }), [
    { kind: 'response', id: 1, message: {} },
    request,
  ]);
});

test('a stream whose event is registered already leaves it so', () => {
  const connection = new ViciClientConnection();
  connection.request({ kind: 'register', id: 1, event: 'log' });
  assert.deepEqual(drain(connection), [{ kind: 'event-register', name: 'log' }]);
  assert.deepEqual(answer(connection, { kind: 'event-confirm' }), [{ kind: 'confirmed', id: 1 }]);
  connection.request({ ...command, id: 2, stream: 'log' });
  assert.deepEqual(drain(connection), [request]);
  assert.deepEqual(answer(connection, { kind: 'event', name: 'log', message }), [
    { kind: 'streamed', id: 2, message },
    { kind: 'event', name: 'log', message },
  ]);
  assert.deepEqual(answer(connection, { kind: 'command-response', message: {} }), [
    { kind: 'response', id: 2, message: {} },
  ]);
  connection.request({ kind: 'unregister', id: 3, event: 'log' });
  drain(connection);
  assert.deepEqual(answer(connection, { kind: 'event-confirm' }, { kind: 'event', name: 'log', message }), [
    { kind: 'confirmed', id: 3 },
  ]);
});

test('an event that the server does not have', () => {
  const connection = new ViciClientConnection();
  connection.request({ ...command, stream: 'nothing' });
  connection.request({ kind: 'register', id: 2, event: 'nothing' });
  drain(connection);
  assert.deepEqual(answer(connection, { kind: 'event-unknown' }), [
    { kind: 'unknown', id: 1, what: 'event' },
    { kind: 'event-register', name: 'nothing' },
  ]);
  assert.deepEqual(answer(connection, { kind: 'event-unknown' }), [
    { kind: 'unknown', id: 2, what: 'event' },
  ]);
});

test('answers that nobody asked for, and octets that are no packet, break the connection for good', () => {
  const wrong: Uint8Array[] = [
    encodeViciFrame({ kind: 'command-response', message: {} }),
    encodeViciFrame({ kind: 'event-confirm' }),
    encodeViciFrame(request),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0, 0, 0, 1, 77),
    Uint8Array.of(0, 0, 0, 0),
  ];
  for (const octets of wrong) {
    const connection = new ViciClientConnection();
    connection.receive(octets);
    assert.deepEqual(
      drain(connection).map(({ kind }) => kind),
      ['broken'],
    );
    connection.receive(encodeViciFrame({ kind: 'event-confirm' }));
    connection.request(command);
    assert.deepEqual(drain(connection), []);
  }
});

test('a message that cannot be written is refused before anything is sent', () => {
  const connection = new ViciClientConnection();
  const tooLong = { data: 'x'.repeat(70_000) };
  assert.throws(() => connection.request({ ...command, message: tooLong }), WireError);
  assert.deepEqual(drain(connection), []);
});
