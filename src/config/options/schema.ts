// The whole option table of swanctl.conf, with wayward's own sections.
import { connectionSchema } from './connection-options.ts';
import { hipSchema } from './hip-options.ts';
import type { SectionSchema } from './option.ts';
import { authoritySchema, poolSchema } from './pool-options.ts';
import { secretsSchema } from './secret-options.ts';
import { waywardSchema } from './wayward-options.ts';

function collection(path: string, name: string, schema: SectionSchema): SectionSchema {
  return { path, options: [], sections: [{ name, schema }] };
}

export const rootSchema: SectionSchema = {
  path: '',
  options: [],
  sections: [
    { name: 'connections', schema: collection('connections', '<conn>', connectionSchema) },
    { name: 'secrets', schema: secretsSchema },
    { name: 'pools', schema: collection('pools', '<name>', poolSchema) },
    { name: 'authorities', schema: collection('authorities', '<name>', authoritySchema) },
    { name: 'hip', schema: hipSchema },
    { name: 'wayward', schema: waywardSchema },
  ],
};
