import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    // The policy allows no data: for scripts and styles; icons are SVG elements anyhow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
