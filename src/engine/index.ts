// Room `engine`: one host, whole: bytes, commands and the time in; bytes, SA commands, events and a deadline out.
export * from './configuration.ts';
