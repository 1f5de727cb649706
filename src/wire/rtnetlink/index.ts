// Requests of rtnetlink(7), as far as a tunnel needs them: devices, addresses, routes and rules.
export * from './address.ts';
export * from './link.ts';
export * from './route.ts';
export * from './rule.ts';
