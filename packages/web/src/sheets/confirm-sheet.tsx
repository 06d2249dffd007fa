import { useState, type ReactNode } from "react";
import { Form } from "react-aria-components";
import { useMessages } from "../messages/languages.tsx";
import { Button, Sheet, Trouble } from "../parts/basics.tsx";

/** A sheet that does one thing, and closes when it is done. What goes wrong stays in it. */
export function ConfirmSheet({
  title,
  confirm,
  kind = "primary",
  run,
  onClose,
  children,
}: {
  readonly title: string;
  readonly confirm: string;
  readonly kind?: "primary" | "danger";
  readonly run: () => Promise<unknown>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  const t = useMessages();
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    try {
      await run();
      onClose();
    } catch (problem) {
      setBusy(false);
      setError(problem);
    }
  };
  return (
    <Sheet title={title} onClose={onClose}>
      <Form
        className="sheet-body"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {children}
        <Trouble error={error} />
        <div className="row end">
          <Button onPress={onClose}>{t.cancel}</Button>
          <Button kind={kind} type="submit" isDisabled={isBusy}>
            {confirm}
          </Button>
        </div>
      </Form>
    </Sheet>
  );
}
