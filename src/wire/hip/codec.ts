// What a file of this folder offers for each parameter it knows: how to read and how to write its contents.
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { HipParameterName, HipParameterOf } from './parameters.ts';

/** Reader and writer stand behind Type and Length; the reader ends where the contents end, before the padding. */
export interface ParameterCodec<Name extends HipParameterName> {
  decode(reader: Reader): HipParameterOf<Name>;
  encode(writer: Writer, parameter: HipParameterOf<Name>): void;
}

/** Codecs by the name of their parameter. */
export type ParameterCodecs<Name extends HipParameterName> = { readonly [N in Name]: ParameterCodec<N> };
