// The tree that we read is the one that strongSwan's own swanctl reads and sends to its daemon.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationErrors } from '../error.ts';
import { loadConfiguration, parseConfigurationTree } from '../load.ts';
import { loadConnection } from '../load-part.ts';
import { memoryHost } from '../testing/memory-host.ts';
import { callsOfSwanctl, noSwanctl } from '../testing/swanctl.ts';
import { objectFromSection, sectionFromObject, type TreeObject } from '../tree.ts';

/** Options that swanctl splits at commas before it sends them. */
const lists = new Set([
  'local_addrs',
  'remote_addrs',
  'proposals',
  'esp_proposals',
  'local_ts',
  'remote_ts',
  'vips',
  'pools',
]);

function ours(files: Readonly<Record<string, string>>): TreeObject {
  const host = memoryHost(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`/etc/${name}`, text])),
  );
  const root = parseConfigurationTree({
    text: files['main.conf']!,
    file: '/etc/main.conf',
    readFiles: host.readFiles,
  });
  return asSent((objectFromSection(root)['connections'] as TreeObject | undefined) ?? {});
}

function asSent(tree: TreeObject): TreeObject {
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => {
      if (typeof value === 'string' && lists.has(name)) {
        return [name, value.split(',').flatMap((item) => item.trim() || [])];
      }
      return [name, typeof value === 'object' && !Array.isArray(value) ? asSent(value as TreeObject) : value];
    }),
  );
}

async function theirs(files: Readonly<Record<string, string>>): Promise<TreeObject> {
  const { calls } = await callsOfSwanctl(['--load-conns'], files);
  const connections = calls.filter(({ command }) => command === 'load-conn').map(({ message }) => message);
  return Object.assign({}, ...connections) as TreeObject;
}

const readable: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a gateway in the usual style': {
    'main.conf': `
connections {
  # a comment
  site : defaults {
    remote_addrs = 192.0.2.1, gate.example.org   # two of them
    local { id = left.example
    }
    children {
      net : child-defaults {
        local_ts  = 10.1.0.0/24[tcp/80],10.1.1.0/24
        remote_ts = 10.2.0.0/16
      }
    }
  }
}
defaults {
  version = 2
  proposals = aes128gcm16-prfsha256-x25519, default
  local { auth = psk
    round = 1 }
  remote { auth = psk }
}
child-defaults {
  esp_proposals = aes128gcm16
  rekey_time = 30m
}
wayward {
  port = 5500
}`,
  },
  'quotes, escapes and blanks': {
    'main.conf': `connections { a { local_port = "1 \\"q\\" \\\\ \\x"
 updown = x   y\t z
 id = p"q  r"s
 note = "one \\
two"
 hash = a # b
 equal = a=b{c
 empty = ""
 cleared =
} }`,
  },
  inheritance: {
    'main.conf': `connections { c : connections.b { vips =
 } b : base, more { x = 1
 deep : other { y = 2
 } } }
base { vips = 10.0.0.1
 x = 2
 deep { z = 3
 y = 4
 } }
more { x = 5
 w = 6
}
other { v = 7
 deeper { u = 8
 } }`,
  },
  'sections opened twice, braces on lines of their own': {
    'main.conf':
      'connections\n\n{\n\n a\n# c\n {\n x = 1\n }\n}\nconnections { a { x = 2\n y = 3\n} b { z = 1 } }',
  },
  'included files': {
    'main.conf': 'include [ab].conf\nconnections { d { x = 1\n include c.conf\n} include none-*.conf\n}',
    'a.conf': 'connections { a { x = 1\n} }',
    'b.conf': 'connections { a { y = 2\n x = 3\n} }',
    'c.conf': 'y = 1\ninclude "a.conf"\n',
  },
};

for (const [name, files] of Object.entries(readable)) {
  test(`swanctl reads the same: ${name}`, { skip: noSwanctl }, async () => {
    const expected = await theirs(files);
    assert.ok(Object.keys(expected).length > 0);
    assert.deepEqual(ours(files), expected);
  });
}

for (const secret of ['0x6162', '0X61:62', '0x123456', '0SYWI=', '0sYWJj', '0y6162', '"  a  b "', 'a\\b']) {
  test(`swanctl has the same octets: ${secret}`, { skip: noSwanctl }, async () => {
    const text = `secrets { ike { secret = ${secret}\n} }`;
    const { calls } = await callsOfSwanctl(['--load-creds'], { 'main.conf': text });
    const sent = calls.find(({ command }) => command === 'load-shared')?.message['data'];
    const { configuration } = loadConfiguration({ text, file: '/etc/main.conf', ports: memoryHost() });
    assert.deepEqual(
      configuration.credentials.sharedSecrets.map((one) => new TextDecoder().decode(one.secret)),
      [sent],
    );
  });
}

const malformed = [
  'connections { a { version 2\n} }',
  'connections { a { = 2\n} }',
  'connections { a { vips = "x\n} }',
  'connections { a { version = 2\n }',
  'connections { a { version = 2\n} } }',
  'connections { a.b { version = 2\n} }',
  'connections { a,b { version = 2\n} }',
  'connections { a::b { version = 2\n} }',
  'connections { a { version: 2\n} }',
  'connections { "a" { version = 2\n} }',
  'connections { a { vips = x\\\n y\n} }',
  'connections',
];

for (const text of malformed) {
  test(`swanctl refuses too: ${JSON.stringify(text)}`, { skip: noSwanctl }, async () => {
    const { output } = await callsOfSwanctl(['--load-conns'], { 'main.conf': text });
    assert.match(output, /invalid config file/);
    assert.throws(() => ours({ 'main.conf': text }), ConfigurationErrors);
  });
}

test('where swanctl goes on silently, we stop', { skip: noSwanctl }, async () => {
  for (const text of [
    'a : gone { version = 2\n}',
    'a : connections.a { version = 2\n}',
    'a { include gone.conf\n}',
  ]) {
    const files = { 'main.conf': `connections { ${text} }` };
    assert.deepEqual(Object.keys(await theirs(files)), ['a']);
    assert.throws(() => ours(files), ConfigurationErrors);
  }
});

test('a connection that swanctl sends is the one that its text gives', { skip: noSwanctl }, async () => {
  const text = `
connections {
  site : t {
    version = 2
    remote_addrs = 192.0.2.1, gate.example.org
    proposals = aes128gcm16-prfsha256-x25519, aes256-sha384-ecp384
    reauth_time = 8h
    vips = 0.0.0.0, ::
    local { id = left.example
    }
    children {
      net {
        local_ts = 10.1.0.0/24[tcp/80], dynamic[udp]
        esp_proposals = aes128gcm16-esn-noesn
        mode = transport
        start_action = start
        rekey_bytes = 1G
        copy_dscp = no
      }
    }
  }
}
t { local { auth = psk
  }
  remote { auth = psk
    id = *.example
  } }
secrets { ike { secret = hush
  } }`;
  const { calls } = await callsOfSwanctl(['--load-conns'], { 'main.conf': text });
  const sent = calls.find(({ command }) => command === 'load-conn')!.message['site'] as TreeObject;
  const file = '/etc/main.conf';
  const ports = memoryHost();
  const overVici = loadConnection({ section: sectionFromObject('site', sent, 'vici'), file, ports });
  const fromText = loadConfiguration({ text, file, ports });
  assert.deepEqual(overVici.warnings, []);
  assert.deepEqual(overVici.connection, fromText.configuration.connections[0]);
});
