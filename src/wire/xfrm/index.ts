// XFRM over netlink: the kernel's SAD and SPD as typed messages. In the machine's byte order but for SPIs, ports and
// addresses, which are as on the wire.
export type { XfrmAead, XfrmAlgorithm, XfrmAuthentication } from './algorithm.ts';
export type { XfrmAttributes } from './attributes.ts';
export type { XfrmLifetimeLimits, XfrmLifetimeUsed } from './lifetime.ts';
export {
  decodeXfrmMessage,
  encodeXfrmMessage,
  type XfrmAcquire,
  type XfrmEvent,
  type XfrmMapping,
  type XfrmMessage,
} from './messages.ts';
export * from './numbers.ts';
export { encodeXfrmPolicy, type XfrmPolicy, type XfrmPolicyId, type XfrmTemplate } from './policy.ts';
export type { XfrmReplay, XfrmReplayEsn } from './replay.ts';
export type { XfrmSelector } from './selector.ts';
export type { XfrmState, XfrmStateId } from './state.ts';
export type {
  XfrmAddressFilter,
  XfrmEncapsulation,
  XfrmMark,
  XfrmMigration,
  XfrmOffload,
} from './structures.ts';
