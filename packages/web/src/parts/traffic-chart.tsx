import { useEffect, useRef, type ReactNode } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useMessages } from "../messages/languages.tsx";
import { traffic } from "../state/traffic.ts";
import { formatRate } from "./format.ts";

const HEIGHT_PX = 180;
/** What is shown. */
const SECONDS = 300;

/** The speed of the last minutes, both ways. The figures stand beside it in words, at the top of the page. */
export function TrafficChart(): ReactNode {
  const t = useMessages();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const style = getComputedStyle(element);
    const colour = (name: string): string => style.getPropertyValue(name);
    const axis = { stroke: style.color, grid: { stroke: colour("--line"), width: 1 } };
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT_PX,
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { range: () => [Date.now() / 1000 - SECONDS, Date.now() / 1000] },
          y: { range: (_, __, most) => [0, Math.max(1000, most * 1.1)] },
        },
        axes: [
          // A minute apart: hours and minutes say all, in the language's way.
          { ...axis, incrs: [60, 120, 300], values: (_, ticks) => ticks.map((tick) => t.clock(1000 * tick)) },
          { ...axis, size: 90, values: (_, ticks) => ticks.map((tick) => formatRate(tick, t)) },
        ],
        series: [
          {},
          { label: t.connection.down, stroke: colour("--accent"), width: 2, points: { show: false } },
          {
            label: t.connection.up,
            stroke: colour("--second"),
            width: 2,
            dash: [6, 4],
            points: { show: false },
          },
        ],
      },
      traffic.get(),
      element,
    );
    const unsubscribe = traffic.subscribe(() => chart.setData(traffic.get()));
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      unsubscribe();
      chart.destroy();
    };
  }, [t]);
  return (
    <figure>
      <div className="chart" ref={place} aria-hidden="true" />
      <figcaption className="muted">
        <span className="legend legend-down">{t.connection.down}</span>{" "}
        <span className="legend legend-up">{t.connection.up}</span>
      </figcaption>
    </figure>
  );
}
