import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const api = process.env["WNIS_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    // MapLibre alone is 1 MB before compression and is loaded by the map page only
    chunkSizeWarningLimit: 1200,
  },
  server: {
    proxy: { "/api": api, "/ready": api },
  },
});
