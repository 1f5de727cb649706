// swanctl.conf of the two gateways that are measured: the same connection for either implementation.
import type { Host } from '../harness/network.ts';

/** What differs from one contender to the next. Lines go into the section that they are named after. */
export interface GatewayLines {
  readonly connection?: string;
  readonly child?: string;
  /** `wayward` in swanctl.conf. */
  readonly wayward?: string;
  /** `charon-systemd` in strongswan.conf. */
  readonly charon?: string;
  /** It has no address to call: only its peer can begin. */
  readonly cannotCall?: boolean;
  /** wayward seals its records, so that tickets outlive it. */
  readonly recordKey?: boolean;
}

/** Connection `gateway` with the child `net` between the two inner networks. */
export function gatewayConfiguration(
  us: Host & { readonly id: string },
  them: Host & { readonly id: string },
  lines: GatewayLines,
): string {
  return `connections {
  gateway {
    version = 2
    local_addrs = ${us.outer.IPv4}
    remote_addrs = ${lines.cannotCall === true ? '%any' : them.outer.IPv4}
    proposals = aes128gcm16-prfsha256-x25519
    encap = yes
    ${lines.connection ?? ''}
    local {
      auth = psk
      id = ${us.id}
    }
    remote {
      auth = psk
      id = ${them.id}
    }
    children {
      net {
        local_ts = ${us.inner.IPv4}/32
        remote_ts = ${them.inner.IPv4}/32
        esp_proposals = aes128gcm16
        ${lines.child ?? ''}
      }
    }
  }
}
secrets {
  ike-gateway {
    secret = "a secret for interoperation"
  }
}
${lines.wayward === undefined ? '' : `wayward {\n  ${lines.wayward}\n}\n`}`;
}
