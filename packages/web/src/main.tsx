import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { openSession } from "./api/daemon.ts";
import { App } from "./app.tsx";
import { MessagesProvider, startLanguage } from "./messages/languages.tsx";
import { startTheme } from "./state/theme.ts";
import "./style/base.css";
import "./style/layout.css";
import "./style/parts.css";
import "./style/pages.css";

startTheme();
await Promise.all([startLanguage(), openSession()]);
const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <MessagesProvider>
        <App />
      </MessagesProvider>
    </StrictMode>,
  );
}
