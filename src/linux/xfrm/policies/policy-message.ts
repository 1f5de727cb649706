// A policy of ours as the kernel wants it, and what tells places of its SPD apart.
import { addressFromBytes, type PolicyParameters, type SaDirection } from '#sa';
import {
  XfrmAction,
  XfrmDirection,
  type XfrmLifetimeLimits,
  type XfrmMessage,
  XfrmOffloadFlag,
  type XfrmPolicy,
  type XfrmSelector,
  type XfrmTemplate,
} from '#wire';
import { type LookupAttributes, tiesKey } from '../kernel-ties.ts';
import { unusedYet } from '../states/kernel-state.ts';
import type { XfrmMessageOf } from '../xfrm-socket.ts';
import { selectorKey } from './kernel-selectors.ts';

/** Which SAs carry a policy's packets. */
export interface PolicyTemplates {
  readonly outbound: XfrmTemplate;
  readonly inbound: XfrmTemplate;
  /** Numbers of the devices that do all the work of these SAs: what is theirs alone finds no policy of the kernel's. */
  readonly devices?: Readonly<Partial<Record<SaDirection, number>>>;
}

/** A policy and its templates of now; without them packets pass, or are stopped, as the action says. */
export interface TablePolicy {
  readonly parameters: PolicyParameters;
  readonly templates: PolicyTemplates | undefined;
}

/** Where the kernel has one policy at most. */
export interface PolicyPlace {
  readonly selector: XfrmSelector;
  readonly direction: number;
  readonly lookup: LookupAttributes;
}

const directionNames: Readonly<Record<number, string>> = {
  [XfrmDirection.IN]: 'in',
  [XfrmDirection.OUT]: 'out',
  [XfrmDirection.FORWARD]: 'forward',
};

export function placeKey(direction: number, selector: XfrmSelector, lookup: LookupAttributes): string {
  return `${direction} ${selectorKey(selector)} ${tiesKey(lookup)}`;
}

export function placeText({ selector, direction, lookup: { mark, interfaceId } }: PolicyPlace): string {
  const { source, destination, sourcePrefixLength, destinationPrefixLength } = selector;
  const [from, to] = [addressFromBytes(source), addressFromBytes(destination)];
  return [
    `${directionNames[direction] ?? ''} from ${from}/${sourcePrefixLength} to ${to}/${destinationPrefixLength}`,
    ...(selector.protocol === 0 ? [] : [`protocol ${selector.protocol}`]),
    ...(mark === undefined ? [] : [`mark ${mark.value}`]),
    ...(interfaceId === undefined ? [] : [`interface ${interfaceId}`]),
  ].join(', ');
}

export function policyMessage(
  { selector, direction, lookup }: PolicyPlace,
  { parameters, templates }: TablePolicy,
  limits: XfrmLifetimeLimits,
): XfrmMessageOf<'new-policy'> {
  const policy: XfrmPolicy = {
    selector,
    limits,
    used: unusedYet,
    priority: parameters.priority,
    index: 0,
    direction,
    action: parameters.action === 'discard' ? XfrmAction.BLOCK : XfrmAction.ALLOW,
    flags: 0,
    share: 0,
  };
  const template = direction === XfrmDirection.OUT ? templates?.outbound : templates?.inbound;
  const interfaceIndex = deviceAt(direction, templates);
  return {
    kind: 'new-policy',
    policy,
    attributes: {
      ...lookup,
      ...(template !== undefined && { templates: [template] }),
      ...(interfaceIndex !== undefined && { offload: { interfaceIndex, flags: XfrmOffloadFlag.PACKET } }),
    },
  };
}

/** What is forwarded has been let in by a device already. */
function deviceAt(direction: number, templates: PolicyTemplates | undefined): number | undefined {
  if (direction === XfrmDirection.OUT) return templates?.devices?.outbound;
  return direction === XfrmDirection.IN ? templates?.devices?.inbound : undefined;
}

export function textOf({ policy, attributes }: Extract<XfrmMessage, { policy: XfrmPolicy }>): string {
  const [template] = attributes.templates ?? [];
  const device = attributes.offload?.interfaceIndex;
  return [policy.priority, policy.action, device, ...Object.values(template ?? {})].join(' ');
}
