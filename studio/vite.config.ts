/** Builds the web app: one classic script and one style sheet, so that the same files serve the server, the export and a report opened from file://. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  logLevel: 'warn',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'iife', rollupOptions: { output: { minify: true } } },
  build: {
    outDir: fileURLToPath(new URL('../build/studio', import.meta.url)),
    emptyOutDir: true,
    target: 'es2023',
    // A page from file:// may not load modules, and needs no preloading.
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 10_000_000,
    reportCompressedSize: false,
    // It is one script on purpose, and comes from the same machine.
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      input: fileURLToPath(new URL('./src/main.tsx', import.meta.url)),
      output: { format: 'iife', entryFileNames: 'studio.js', assetFileNames: 'studio[extname]' },
    },
  },
})
