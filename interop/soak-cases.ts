// Loaded before tests: every property that asks `cases` for their number gets so many.
import fc from 'fast-check';

fc.configureGlobal({ numRuns: Number(process.env['WAYWARD_SOAK_CASES']) });
