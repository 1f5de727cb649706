// Room `config`: swanctl.conf text -> section tree with positions -> the engine's configuration.
export { defaultProposals, type ProposalProtocol, parseProposals } from './algorithms/proposal.ts';
export type { CheckpointSettings } from './build/checkpoint.ts';
export type { HostDefaults } from './build/context.ts';
export { parseHipHosts } from './build/hip-hosts.ts';
export type { HostSettings } from './build/host.ts';
export type { HttpListen } from './build/http.ts';
export {
  byPlace,
  ConfigurationError,
  type ConfigurationErrorCode,
  ConfigurationErrors,
  type ConfigurationWarning,
} from './error.ts';
export { type LoadedConfiguration, loadConfiguration, parseConfigurationTree } from './load.ts';
export {
  type LoadedAuthority,
  type LoadedConnection,
  type LoadedPool,
  loadAuthority,
  loadConnection,
  loadPool,
  type PartInput,
} from './load-part.ts';
export { optionReference } from './options/reference.ts';
export type { ConfigurationFile, ConfigurationPorts } from './ports.ts';
export { formatPosition, type Position } from './position.ts';
export { printTree } from './syntax/print.ts';
export {
  objectFromSection,
  type Section,
  type Setting,
  type SettingValue,
  sectionFromObject,
  type TreeObject,
} from './tree.ts';
export { utf8Fault } from './values/utf8.ts';
