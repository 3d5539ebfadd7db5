export default {
  build: { ssr: 'list.mjs', outDir: 'out/vite' },
  ssr: { noExternal: true },
};
