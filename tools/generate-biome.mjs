// Writes the overrides of biome.json from tools/rooms.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { overrides } from './rooms.mjs';

const file = new URL('../biome.json', import.meta.url);
const biome = JSON.parse(readFileSync(file, 'utf8'));
biome.overrides = overrides();
writeFileSync(file, `${JSON.stringify(biome, null, 2)}\n`);
