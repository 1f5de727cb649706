// npm start: the demonstration with its page, or with --config FILE the real daemon.
const words = process.argv.slice(2);
const run = words.some((word) => word === '--config' || word.startsWith('--config='));
process.argv.splice(2, 0, ...(run ? ['run'] : ['demo', '--http']));
await import('../dist/bundle/main.js');
