import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Button, Trouble } from "../parts/basics.tsx";

export function DoctorPage(): ReactNode {
  const t = useMessages();
  const report = useQuery({ queryKey: ["doctor"], queryFn: () => call("doctor"), staleTime: Infinity });
  return (
    <div className="doctor">
      <div className="toolbar">
        <h1>{t.doctor.title}</h1>
        <Button onPress={() => void report.refetch()} isDisabled={report.isFetching}>
          {t.doctor.again}
        </Button>
      </div>
      <p className="muted">{t.doctor.text}</p>
      <Trouble error={report.error} />
      {report.data === undefined ? (
        <p className="muted">{report.isFetching ? t.loading : ""}</p>
      ) : (
        <div className="scroll-x" tabIndex={0} role="region" aria-label={t.doctor.title}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t.doctor.check}</th>
                <th scope="col">{t.transfers.state}</th>
                <th scope="col">{t.doctor.found}</th>
                <th scope="col">{t.doctor.minimum}</th>
                <th scope="col">{t.doctor.recommended}</th>
                <th scope="col">{t.doctor.todo}</th>
              </tr>
            </thead>
            <tbody>
              {report.data.rows.map((row) => (
                <tr key={row.check}>
                  <th scope="row">{row.check}</th>
                  <td>
                    <span className={`badge badge-${row.status}`}>{t.doctor.status[row.status]}</span>
                  </td>
                  <td data-label={t.doctor.found}>{row.found}</td>
                  <td data-label={t.doctor.minimum}>{row.minimum}</td>
                  <td data-label={t.doctor.recommended}>{row.recommended}</td>
                  <td data-label={t.doctor.todo}>{row.fix}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
