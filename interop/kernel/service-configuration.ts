// What both sides read where wayward is a service in the guest.
import { guestAddresses, hostAddresses } from './guest-network.ts';

function configuration(
  ours: 'guest' | 'host',
  { connection = '', child = '' }: { readonly connection?: string; readonly child?: string },
  settings = '',
): string {
  const [local, remote] =
    ours === 'guest' ? [guestAddresses, hostAddresses] : [hostAddresses, guestAddresses];
  const behind = { guest: '10.1.0.0/24, fd01::/64', host: '10.2.0.0/24, fd02::/64' };
  const theirs = ours === 'guest' ? 'host' : 'guest';
  return `connections {
  gateway {
    local_addrs = ${local.outer.IPv4}
    remote_addrs = ${remote.outer.IPv4}
    ${connection}
    local {
      auth = psk
      id = ${ours}.example
    }
    remote {
      auth = psk
      id = ${theirs}.example
    }
    children {
      net {
        local_ts = ${behind[ours]}
        remote_ts = ${behind[theirs]}
        ${child}
      }
    }
  }
}
secrets {
  ike {
    id = ${theirs}.example
    secret = "a secret for interoperation"
  }
}
wayward {
  log_level = debug
  # A guest may be slow to answer, and recovery is played elsewhere.
  parallel_attempts = no
  retransmit_timeout = 5s
  ${settings}
}
`;
}

/** @param connection more of the connection */
export const serviceConfiguration = (plane: 'kernel' | 'userspace', connection = ''): string =>
  configuration(
    'guest',
    { connection, child: 'start_action = start' },
    `data_plane = ${plane}\n  checkpoint {\n    enabled = yes\n  }`,
  );

export const servicePeer: string = configuration('host', {});
