import { useId, type ReactNode } from "react";
import {
  Button as AriaButton,
  Checkbox,
  Dialog,
  FieldError,
  Heading,
  Input,
  Label,
  Modal,
  ModalOverlay,
  Text,
  TextArea,
  TextField,
  type ButtonProps,
} from "react-aria-components";
import { useMessages } from "../messages/languages.tsx";
import { Words, wordsOf } from "./daemon-words.tsx";

type Kind = "primary" | "plain" | "danger";

export function Button({ kind = "plain", ...props }: ButtonProps & { readonly kind?: Kind }): ReactNode {
  return <AriaButton {...props} className={`button button-${kind}`} />;
}

export function Field({
  label,
  hint,
  value,
  onChange,
  type = "text",
  multiline = false,
  autoFocus = false,
  error,
  inputMode,
}: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: "text" | "password" | "search";
  readonly multiline?: boolean;
  readonly autoFocus?: boolean;
  readonly error?: string | undefined;
  readonly inputMode?: "numeric";
}): ReactNode {
  return (
    <TextField
      className="field"
      value={value}
      onChange={onChange}
      type={type}
      autoFocus={autoFocus}
      isInvalid={error !== undefined}
      autoComplete="off"
      spellCheck="false"
    >
      <Label>{label}</Label>
      {multiline ? <TextArea rows={4} /> : <Input inputMode={inputMode} />}
      {hint !== undefined && <Text slot="description">{hint}</Text>}
      <FieldError>{error}</FieldError>
    </TextField>
  );
}

export function Check({
  isSelected,
  onChange,
  children,
}: {
  readonly isSelected: boolean;
  readonly onChange: (selected: boolean) => void;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <Checkbox className="check" isSelected={isSelected} onChange={onChange}>
      <span className="check-box" aria-hidden="true" />
      <span>{children}</span>
    </Checkbox>
  );
}

/** A sheet over the page. `onClose` is called by Escape, a click beside it, and its own button. */
export function Sheet({
  title,
  children,
  onClose,
}: {
  readonly title: string;
  readonly children: ReactNode;
  readonly onClose: () => void;
}): ReactNode {
  const t = useMessages();
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => open || onClose()}>
      <Modal className="modal">
        <Dialog className="sheet">
          <header className="sheet-head">
            <Heading slot="title">{title}</Heading>
            <Button aria-label={t.close} onPress={onClose}>
              ✕
            </Button>
          </header>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** Tells what went wrong and what to do about it; said aloud when it comes. Nothing for null. */
export function Trouble({ error }: { readonly error: unknown }): ReactNode {
  if (error === null || error === undefined) return null;
  return (
    <div className="trouble" role="alert">
      <Words words={wordsOf(error)} />
    </div>
  );
}

export function Section({
  title,
  text,
  children,
}: {
  readonly title: string;
  readonly text?: string;
  readonly children: ReactNode;
}): ReactNode {
  const id = useId();
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {text !== undefined && <p className="muted">{text}</p>}
      {children}
    </section>
  );
}

export function Facts({ rows }: { readonly rows: readonly (readonly [string, ReactNode])[] }): ReactNode {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
