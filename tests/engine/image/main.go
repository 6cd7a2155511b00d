// An image for tests: it speaks OpenWhisk's HTTP contract by hand, so that it can break it. The code of an action is the
// name of what it does. Started as `act plain` it prints no sentinels, as `act deaf` it never listens, as `act gone` it ends.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const sentinel = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX"

type object = map[string]any

type message struct {
	Value object `json:"value"`
}

var (
	mode     string
	program  string
	count    int
	initial  object
	listener net.Listener
)

func main() {
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	if mode == "gone" {
		fmt.Println("going")
		os.Exit(3)
	}
	if mode == "deaf" {
		time.Sleep(time.Hour)
	}
	var err error
	if listener, err = net.Listen("tcp", ":8080"); err != nil {
		panic(err)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			time.Sleep(time.Hour)
		}
		serve(connection)
	}
}

func serve(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	line, _ := reader.ReadString('\n')
	length := 0
	for {
		header, err := reader.ReadString('\n')
		if err != nil || header == "\r\n" {
			break
		}
		name, value, _ := strings.Cut(header, ":")
		if strings.EqualFold(name, "content-length") {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
	}
	body := make([]byte, length)
	io.ReadFull(reader, body)
	if strings.HasPrefix(line, "POST /init ") {
		load(connection, body)
	} else if raw := breaks[program]; raw != nil {
		raw(connection)
	} else {
		status, result := run(body)
		if program != "late" {
			mark()
		}
		answer(connection, status, result)
		if program == "late" {
			time.Sleep(20 * time.Millisecond)
			fmt.Println("late")
			mark()
		}
	}
}

func load(connection net.Conn, body []byte) {
	var given message
	json.Unmarshal(body, &given)
	code, _ := given.Value["code"].(string)
	if program != "" {
		answer(connection, 403, object{"error": "Cannot initialize the action more than once."})
		return
	}
	if code == "broken" {
		mark()
		answer(connection, 502, object{"error": "it cannot be loaded"})
		return
	}
	if code == "slow to load" {
		time.Sleep(time.Hour)
	}
	if code == "" {
		code = "echo"
	}
	program, initial = code, given.Value
	answer(connection, 200, object{"ok": true})
}

func mark() {
	if mode != "plain" {
		fmt.Println(sentinel)
		fmt.Fprintln(os.Stderr, sentinel)
	}
}

func answer(connection net.Conn, status int, result any) {
	text, _ := json.Marshal(result)
	head := "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
	fmt.Fprintf(connection, head, status, len(text))
	connection.Write(text)
}

func run(body []byte) (int, any) {
	var given message
	json.Unmarshal(body, &given)
	args := given.Value
	count++
	switch program {
	case "table":
		return 200, table(args)
	case "counts":
		fmt.Println("run", count)
		return 200, object{"n": count}
	case "value":
		return 200, args["value"]
	case "large":
		return 200, object{"a": strings.Repeat("x", 1<<21)}
	case "prints":
		for n := 0; n < int(args["times"].(float64)); n++ {
			fmt.Println(args["text"])
		}
		return 200, object{}
	case "bytes":
		for n := 0; n < 4000; n++ {
			os.Stdout.Write(append([]byte(strings.Repeat("\xff", 100)), '\n'))
		}
		return 200, object{}
	case "fails":
		return 200, object{"error": "not today"}
	case "crashes":
		os.Exit(3)
	case "endless":
		for {
		}
	case "message":
		var whole object
		json.Unmarshal(body, &whole)
		return 200, object{"run": whole, "init": initial}
	case "inside":
		return 200, inside()
	case "status":
		return int(args["status"].(float64)), args["body"]
	case "closes":
		listener.Close()
		return 200, object{}
	case "forks":
		return 200, object{"forks": forks()}
	case "fills":
		file, _ := os.Create("/tmp/large")
		for block := make([]byte, 1<<20); ; {
			file.Write(block)
		}
	case "fetch":
		return 200, fetch(args)
	default:
		fmt.Println("one")
		fmt.Println("two")
	}
	return 200, echo(body)
}

// As it came: Go would make a float64 of every number.
func echo(body []byte) any {
	var given struct {
		Value json.RawMessage `json:"value"`
	}
	json.Unmarshal(body, &given)
	return given.Value
}

func table(args object) any {
	fmt.Println("out ü")
	fmt.Fprintln(os.Stderr, "err ü")
	switch args["do"] {
	case "error":
		return object{"error": "mine"}
	case "crash":
		os.Exit(3)
	case "hang":
		time.Sleep(time.Minute)
	case "memory":
		kept := [][]byte{}
		for {
			block := make([]byte, 1<<20)
			for at := range block {
				block[at] = 1
			}
			kept = append(kept, block)
		}
	}
	return args
}

func forks() int {
	for n := 0; ; n++ {
		if exec.Command("/act", "deaf").Start() != nil {
			return n
		}
	}
}

func inside() object {
	wrote := object{}
	for _, folder := range []string{"/", "/tmp", "/run", "/var/tmp", "/action", "/dev/shm", "/data", "/proc/sys/kernel"} {
		wrote[folder] = os.WriteFile(folder+"/written", nil, 0o600) == nil
	}
	for _, stream := range []string{"/dev/stdout", "/dev/stderr"} {
		file, err := os.OpenFile(stream, os.O_WRONLY, 0)
		wrote[stream] = err == nil
		file.Close()
	}
	status, _ := os.ReadFile("/proc/self/status")
	mapped, _ := os.ReadFile("/proc/self/uid_map")
	kept, _ := os.ReadFile("/action/kept")
	names := []string{}
	interfaces, _ := net.Interfaces()
	for _, each := range interfaces {
		names = append(names, each.Name)
	}
	return object{
		"wrote": wrote, "status": string(status), "uid_map": string(mapped), "kept": string(kept),
		"environment": os.Environ(), "interfaces": names, "pid": os.Getpid(),
	}
}

func fetch(args object) object {
	address, path, _ := strings.Cut(strings.TrimPrefix(args["url"].(string), "http://"), "/")
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return object{"refused": err.Error()}
	}
	defer connection.Close()
	fmt.Fprintf(connection, "GET /%s HTTP/1.1\r\nHost: objects\r\nConnection: close\r\n\r\n", path)
	text, _ := io.ReadAll(connection)
	return object{"answer": string(text)}
}

var breaks = map[string]func(net.Conn){
	"garbage":  func(connection net.Conn) { fmt.Fprint(connection, "this is no HTTP\r\n\r\n") },
	"hangs up": func(connection net.Conn) {},
	"text":     func(connection net.Conn) { fmt.Fprint(connection, "HTTP/1.0 200 OK\r\n\r\nno JSON") },
	"redirect": func(connection net.Conn) {
		fmt.Fprint(connection, "HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:8080/run\r\nContent-Length: 0\r\n\r\n")
	},
	"short": func(connection net.Conn) { fmt.Fprint(connection, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}") },
	"boast": func(connection net.Conn) {
		fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n%s", strings.Repeat("x", 2<<20))
	},
	"headers": func(connection net.Conn) {
		fmt.Fprint(connection, "HTTP/1.1 200 OK\r\n")
		forever(connection, "X-Name: value\r\n")
	},
	"interim": func(connection net.Conn) { forever(connection, "HTTP/1.1 102 X\r\n\r\n") },
	"chunks": func(connection net.Conn) {
		fmt.Fprint(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		forever(connection, "10000\r\n"+strings.Repeat("x", 1<<16)+"\r\n")
	},
	"crumbs": func(connection net.Conn) {
		fmt.Fprint(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		forever(connection, strings.Repeat("1\r\nx\r\n", 1000))
	},
	"drips": func(connection net.Conn) {
		for _, letter := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: " + strings.Repeat("x", 10000)) {
			connection.Write([]byte{letter})
			time.Sleep(10 * time.Millisecond)
		}
	},
}

func forever(connection net.Conn, text string) {
	for {
		if _, err := io.WriteString(connection, text); err != nil {
			return
		}
	}
}
