// Package mail turns a template and its variables into a letter, and hands letters to an SMTP
// server. It keeps nothing: the queue is rows (adapters/records), the worker a reactor.
//
// What it promises: no variable can add a header or a recipient; text in the HTML part is
// escaped; a letter's bytes follow from its contents alone, so that what is recorded is what was
// sent; an error says whether trying again can help, and never holds an address.
package mail
