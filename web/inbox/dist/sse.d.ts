export interface ServerEvent {
    event: string;
    data: string;
    id: string | null;
    retry: number | null;
}
/** Splits a text/event-stream into events. Feed it text as it arrives; an event is complete at its empty line. */
export declare class EventParser {
    #private;
    feed(text: string): ServerEvent[];
}
