// A server's end, octet by octet: the queue of one connection, registrations, clients that break the protocol.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeViciPacket, encodeViciFrame, type ViciPacket } from '#wire';
import { type ServerOutput, ViciServerConnection } from './server-connection.ts';

type Said = Exclude<ServerOutput, { kind: 'transmit' }> | ViciPacket;

function serve(): ViciServerConnection {
  return new ViciServerConnection({
    hasCommand: (name) => name === 'version',
    hasEvent: (name) => name === 'log',
  });
}

function drain(connection: ViciServerConnection): Said[] {
  const said: Said[] = [];
  for (let output = connection.poll(); output !== undefined; output = connection.poll())
    said.push(output.kind === 'transmit' ? decodeViciPacket(output.octets.subarray(4)) : output);
  return said;
}

function ask(connection: ViciServerConnection, ...packets: readonly ViciPacket[]): Said[] {
  for (const packet of packets) connection.receive(encodeViciFrame(packet));
  return drain(connection);
}

const request: ViciPacket = { kind: 'command-request', name: 'version', message: {} };
const asked: Said = { kind: 'command', name: 'version', message: {} };

test('commands of one connection are answered in turn', () => {
  const connection = serve();
  assert.deepEqual(ask(connection, request, request, { kind: 'event-register', name: 'log' }), [asked]);
  assert.ok(connection.waiting > 0);
  connection.respond({ a: '1' });
  assert.deepEqual(drain(connection), [{ kind: 'command-response', message: { a: '1' } }, asked]);
  connection.respond({});
  assert.deepEqual(drain(connection), [{ kind: 'command-response', message: {} }, { kind: 'event-confirm' }]);
  assert.equal(connection.waiting, 0);
  assert.throws(() => connection.respond({}));
});

test('events go to those who registered, while a command runs too', () => {
  const connection = serve();
  assert.equal(connection.send('log', {}), false);
  assert.deepEqual(ask(connection, { kind: 'event-register', name: 'log' }, request), [
    { kind: 'event-confirm' },
    asked,
  ]);
  assert.equal(connection.send('log', { msg: 'x' }), true);
  assert.deepEqual(drain(connection), [{ kind: 'event', name: 'log', message: { msg: 'x' } }]);
  connection.respond({});
  assert.deepEqual(ask(connection, { kind: 'event-unregister', name: 'log' }).at(-1), {
    kind: 'event-confirm',
  });
  assert.equal(connection.send('log', {}), false);
});

test('what the server does not have', () => {
  const connection = serve();
  assert.deepEqual(
    ask(
      connection,
      { kind: 'command-request', name: 'nothing', message: {} },
      { kind: 'event-register', name: 'nothing' },
      { kind: 'event-unregister', name: 'log' },
    ),
    [{ kind: 'command-unknown' }, { kind: 'event-unknown' }, { kind: 'event-unknown' }],
  );
});

test('a response that is too large leaves room for another', () => {
  const connection = serve();
  ask(connection, request);
  assert.throws(() => connection.respond({ data: 'x'.repeat(70_000) }));
  connection.respond({ success: 'no' });
  assert.deepEqual(drain(connection), [{ kind: 'command-response', message: { success: 'no' } }]);
});

test('packets that only a server sends, and octets that are no packet, end the connection', () => {
  for (const octets of [
    encodeViciFrame({ kind: 'command-response', message: {} }),
    encodeViciFrame({ kind: 'event', name: 'log', message: {} }),
    encodeViciFrame({ kind: 'event-confirm' }),
    Uint8Array.of(0, 8, 0, 1),
    Uint8Array.of(0, 0, 0, 0),
    Uint8Array.of(0, 0, 0, 5, 0, 7, 0x61, 0x61, 0x61),
  ]) {
    const connection = serve();
    connection.receive(octets);
    assert.deepEqual(
      drain(connection).map(({ kind }) => kind),
      ['broken'],
    );
    assert.deepEqual(ask(connection, request), []);
  }
});

test('whatever a client sends, it is answered, waits or ends its own connection', () => {
  const sane = fc.constantFrom<ViciPacket>(
    request,
    { kind: 'event-register', name: 'log' },
    { kind: 'event-unregister', name: 'log' },
    { kind: 'command-request', name: 'x', message: {} },
  );
  const pieces = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      sane.map((packet) => encodeViciFrame(packet)),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(pieces, (stream) => {
      const connection = serve();
      for (const octets of stream) {
        connection.receive(octets);
        for (let said = drain(connection); said.length > 0; said = drain(connection)) {
          const commands = said.filter(({ kind }) => kind === 'command').length;
          assert.ok(commands <= 1, 'one command at a time');
          if (commands === 1) connection.respond({});
        }
      }
    }),
  );
});
