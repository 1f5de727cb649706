// Room `explain`: a capture of IKEv2, ESP, AH or HIP becomes its story.
export { Explainer, type ExplainOptions } from './explainer.ts';
export {
  type EspKeyEntry,
  type IkeKeyEntry,
  type KeyFile,
  type KeyFileProblem,
  parseKeyFile,
} from './keys/key-file.ts';
export { explainLimits } from './limits.ts';
export * from './story.ts';
export { storyHtml } from './tellers/html.ts';
export { storyJsonLines } from './tellers/json-lines.ts';
export { storyText } from './tellers/text.ts';
