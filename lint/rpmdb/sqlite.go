package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// sqliteMagic is what an SQLite file begins with. Its format is described at
// sqlite.org/fileformat.html: numbered pages, of which a table is a tree.
var sqliteMagic = []byte("SQLite format 3\x00")

// Kinds of pages of a table's tree.
const (
	inner = 0x05
	leaf  = 0x0d
)

// fileHeader is how many bytes of the first page come before its tree.
const fileHeader = 100

// sqlite is a file in memory. Its write-ahead log is another file: what a program
// that was killed left there isn't seen.
type sqlite struct {
	data   []byte
	page   int64 // bytes of a page
	usable int64 // bytes of a page that hold anything
	visits int64 // pages that may still be read: a tree with circles ends
}

var errTree = errors.New("the database is damaged: one of its pages makes no sense")

// sqliteBlobs are the values of a table's last column.
func sqliteBlobs(data []byte, table string) ([][]byte, error) {
	if len(data) < fileHeader {
		return nil, errors.New("the database is cut off")
	}
	db := &sqlite{data: data, page: int64(binary.BigEndian.Uint16(data[16:]))}
	if db.page == 1 {
		db.page = 65536
	}
	db.usable = db.page - int64(data[20])
	if db.page < 512 || db.usable < 480 {
		return nil, errTree
	}
	db.visits = 2 * int64(len(data)) / db.page
	root, err := db.table(table)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	err = db.rows(root, func(row [][]byte) {
		if n := len(row); n > 0 {
			out = append(out, row[n-1])
		}
	})
	return out, err
}

// table finds the first page of a table: the first page of the file is a table of
// tables, with the columns type, name, table, root page, SQL.
func (db *sqlite) table(name string) (int64, error) {
	var root int64
	err := db.rows(1, func(row [][]byte) {
		if len(row) >= 4 && string(row[0]) == "table" && string(row[1]) == name {
			for _, b := range row[3] {
				root = root<<8 | int64(b)
			}
		}
	})
	if err == nil && root == 0 {
		err = fmt.Errorf("the database has no table %s", name)
	}
	return root, err
}

// rows visits the rows of the tree below a page.
func (db *sqlite) rows(number int64, visit func([][]byte)) error {
	page, err := db.at(number)
	if err != nil {
		return err
	}
	head := page
	if number == 1 {
		head = page[fileHeader:]
	}
	kind, cells := head[0], int64(binary.BigEndian.Uint16(head[3:]))
	width := int64(8)
	if kind == inner {
		width = 12
	}
	if kind != inner && kind != leaf || width+cells*2 > int64(len(head)) {
		return errTree
	}
	for i := range cells {
		cell := int64(binary.BigEndian.Uint16(head[width+2*i:]))
		if cell+4 > int64(len(page)) {
			return errTree
		}
		if kind == inner {
			err = db.rows(int64(binary.BigEndian.Uint32(page[cell:])), visit)
		} else {
			err = db.row(page[cell:], visit)
		}
		if err != nil {
			return err
		}
	}
	if kind == inner {
		return db.rows(int64(binary.BigEndian.Uint32(head[8:])), visit)
	}
	return nil
}

// at is a page, by its number from 1.
func (db *sqlite) at(number int64) ([]byte, error) {
	db.visits--
	if number < 1 || number > int64(len(db.data))/db.page || db.visits < 0 {
		return nil, errTree
	}
	return db.data[(number-1)*db.page:][:db.usable], nil
}

// row visits the row in a cell of a leaf: its length, its number, and what of it
// fits into the page, with the number of the page where the rest is.
func (db *sqlite) row(cell []byte, visit func([][]byte)) error {
	size, cell, ok := varint(cell)
	if !ok || size > int64(len(db.data)) {
		return errTree
	}
	_, cell, ok = varint(cell)
	local := db.local(size)
	if !ok || local > int64(len(cell)) {
		return errTree
	}
	payload := cell[:local]
	if local < size {
		if local+4 > int64(len(cell)) {
			return errTree
		}
		payload = append(make([]byte, 0, size), payload...)
		for next := cell[local:]; int64(len(payload)) < size; {
			page, err := db.at(int64(binary.BigEndian.Uint32(next)))
			if err != nil {
				return err
			}
			next = page
			payload = append(payload, page[4:min(int64(len(page)), 4+size-int64(len(payload)))]...)
		}
	}
	row, err := columns(payload)
	if err == nil {
		visit(row)
	}
	return err
}

// local is how much of a row's payload is in its leaf: "Cell Payload Overflow
// Pages" of the format's description.
func (db *sqlite) local(size int64) int64 {
	if size <= db.usable-35 {
		return size
	}
	least := (db.usable-12)*32/255 - 23
	if most := least + (size-least)%(db.usable-4); most <= db.usable-35 {
		return most
	}
	return least
}

// columns splits a row: the length of its header, a number for the type of each
// column, then their values.
func columns(payload []byte) ([][]byte, error) {
	length, rest, ok := varint(payload)
	if !ok || length > int64(len(payload)) || length < int64(len(payload)-len(rest)) {
		return nil, errTree
	}
	types, values := payload[len(payload)-len(rest):length], payload[length:]
	var out [][]byte
	for len(types) > 0 {
		var kind int64
		if kind, types, ok = varint(types); !ok {
			return nil, errTree
		}
		size := width(kind)
		if size > int64(len(values)) {
			return nil, errTree
		}
		out, values = append(out, values[:size]), values[size:]
	}
	return out, nil
}

// width is how many bytes a value of a type takes: nothing, a number, a blob
// (even from 12) or a text (odd from 13).
func width(kind int64) int64 {
	if kind >= 12 {
		return (kind - 12) / 2
	}
	return [12]int64{0, 1, 2, 3, 4, 6, 8, 8}[kind]
}

// varint is a number in one to nine bytes, seven bits in each but the ninth. One
// that isn't positive makes no sense here.
func varint(data []byte) (n int64, rest []byte, ok bool) {
	for i := range min(9, len(data)) {
		b := data[i]
		if i == 8 {
			return n<<8 | int64(b), data[9:], n<<8 >= 0
		}
		n = n<<7 | int64(b&0x7f)
		if b < 0x80 {
			return n, data[i+1:], true
		}
	}
	return 0, nil, false
}
